/** What stands at the UI's address until the UI package is served there. No script, nothing from the request. */
export const UI_PAGE = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Lictor</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:40em;margin:4em auto;padding:0 1em;color:#222}code{background:#eee;padding:0 .2em}</style>
</head>
<body>
<h1>Lictor</h1>
<p>This agent is running. Its web UI comes in a later release; until then everything is in the HTTP API and on the command line:</p>
<ul>
<li><code>lictor members</code>, <code>lictor catalog services</code>, <code>lictor intention list</code></li>
<li><a href="/v1/agent/self">/v1/agent/self</a>, <a href="/v1/catalog/services">/v1/catalog/services</a>, <a href="/v1/health/state/any">/v1/health/state/any</a></li>
</ul>
</body>
</html>
`;
