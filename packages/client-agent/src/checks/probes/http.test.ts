import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import type { ProbeResult } from '../runner.ts';
import { NEVER, probeContext } from '../testing/definitions.ts';
import { createHttpProbe } from './http.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

async function serve(handler: RequestListener): Promise<string> {
  const server = createServer(handler);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
}

function probe(fields: Readonly<Record<string, unknown>>, extra = {}): Promise<ProbeResult> {
  return createHttpProbe(probeContext({ interval: '1s', ...fields }, extra))(NEVER);
}

describe('HTTP checks (consul-facts K034)', () => {
  it.each([
    [200, 'passing', '200 OK'],
    [204, 'passing', '204 No Content'],
    [429, 'warning', '429 Too Many Requests'],
    [404, 'critical', '404 Not Found'],
    [500, 'critical', '500 Internal Server Error'],
  ])('%d is %s', async (code, status, line) => {
    const url = await serve((_request, response) => response.writeHead(code).end(code === 204 ? '' : 'body'));
    expect(await probe({ http: url })).toEqual({ status, output: `HTTP GET ${url}: ${line} Output: ${code === 204 ? '' : 'body'}` });
  });

  it('sends method, headers, body and Consul as user agent', async () => {
    let seen: IncomingMessage | undefined;
    let body = '';
    const url = await serve((request, response) => {
      seen = request;
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => response.end());
    });
    await probe({ http: url, method: 'POST', body: 'hello', header: { 'X-A': ['1', '2'], Host: ['other.example'] } });
    expect(seen?.method).toBe('POST');
    expect(body).toBe('hello');
    expect(seen?.headers).toMatchObject({
      'user-agent': 'Consul Health Check',
      accept: 'text/plain, text/*, */*',
      'x-a': '1, 2',
      host: 'other.example',
    });
  });

  it('keeps the end of a long body only, and stops reading a body without end', async () => {
    const url = await serve((_request, response) => {
      const pump = (): void => {
        while (!response.destroyed && response.write('x'.repeat(65_536))) {
          // Until the probe has had enough.
        }
      };
      response.on('drain', pump);
      pump();
    });
    const result = await probe({ http: url }, { outputMaxBytes: 100 });
    expect(result.output).toBe(`HTTP GET ${url}: 200 OK Output: ${'x'.repeat(100)}`);
  });

  it("reports a refused connection and a timeout in Go's words", async () => {
    const url = await serve(() => undefined);
    expect(await probe({ http: url, timeout: '50ms' })).toEqual({
      status: 'critical',
      output: `Get "${url}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
    });
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
    const address = url.slice('http://'.length);
    expect((await probe({ http: url })).output).toBe(`Get "${url}": dial tcp ${address}: connect: connection refused`);
  });

  it('shows no password of the address, in success, failure and nonsense (CVE-2022-29153)', async () => {
    const url = await serve((_request, response) => response.end('ok'));
    const withPassword = (password: string): string => url.replace('//', `//user:${password}@`);
    const shown = url.replace('//', '//user:***@');
    expect((await probe({ http: `${withPassword('p:w@x')}/a?b=c:d@e` })).output).toBe(`HTTP GET ${shown}/a?b=c:d@e: 200 OK Output: ok`);
    expect((await probe({ http: 'http://user:pw@127.0.0.1:1/' })).output).toMatch(/^Get "http:\/\/user:\*\*\*@127\.0\.0\.1:1\/": dial/);
    expect((await probe({ http: 'http://user:pw@[/' })).output).toBe('parse "http://user:***@[/": invalid URL');
  });

  it('calls a target that is no URL critical', async () => {
    expect((await probe({ http: 'not a url' })).status).toBe('critical');
  });
});

describe('redirects (security.md CVE-2022-29153, CVE-2022-31151: SSRF and secrets kept across redirects)', () => {
  it('are followed on the same origin with the headers of the check', async () => {
    const seen: (string | undefined)[] = [];
    const url = await serve((request, response) => {
      seen.push(request.headers.authorization);
      if (request.url === '/') response.writeHead(302, { location: '/next' }).end();
      else response.end('there');
    });
    const result = await probe({ http: `${url}/`, header: { Authorization: ['secret'] } });
    expect(result.output).toContain('200 OK Output: there');
    expect(seen).toEqual(['secret', 'secret']);
  });

  it('take none of the headers of the check to another origin', async () => {
    let seen: IncomingMessage | undefined;
    const other = await serve((request, response) => {
      seen = request;
      response.end();
    });
    const url = await serve((_request, response) => response.writeHead(307, { location: other }).end());
    await probe({ http: url, header: { Authorization: ['secret'], 'X-Consul-Token': ['secret'] } });
    expect(seen).toBeDefined();
    expect(JSON.stringify(seen?.headers)).not.toContain('secret');
  });

  it('are not followed when disabled', async () => {
    const url = await serve((_request, response) => response.writeHead(302, { location: 'http://127.0.0.1:1' }).end());
    expect((await probe({ http: url, disable_redirects: true })).output).toContain('302 Found');
  });

  it('end after ten', async () => {
    let count = 0;
    const url = await serve((_request, response) => {
      count += 1;
      response.writeHead(302, { location: '/' }).end();
    });
    expect((await probe({ http: url })).output).toContain('stopped after 10 redirects');
    expect(count).toBe(11);
  });

  it('do not lead to link-local addresses when those are refused, nor to other schemes', async () => {
    const link = await serve((_request, response) =>
      response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data' }).end(),
    );
    expect((await probe({ http: link }, { refuseLinkLocal: true })).output).toContain('169.254.169.254 is a link-local address');
    const file = await serve((_request, response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end());
    expect((await probe({ http: file })).output).toContain('unsupported protocol scheme "file"');
  });
});
