import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RuntimeConfig } from '../../contracts/index.ts';
import type { RequestTarget } from '../request/target.ts';
import { cleanPath } from '../routing/router.ts';
import { UI_PAGE } from './ui-page.ts';

const HTML = 'text/html; charset=utf-8';
const TEXT = 'text/plain; charset=utf-8';

/** Everything outside the API: the UI, `/`, redirects to clean paths, and Consul's 404 texts. */
export function servePage(
  message: IncomingMessage,
  response: ServerResponse,
  target: RequestTarget,
  config: RuntimeConfig,
  headers: readonly string[],
  isPrefix: (path: string) => boolean,
): void {
  const send = (status: number, type: string, body: string, extra: readonly string[] = []): void => {
    response.writeHead(status, [...headers, ...extra, 'Content-Type', type, 'Content-Length', String(Buffer.byteLength(body))]);
    response.end(body);
  };
  const redirect = (status: 301 | 307, location: string): void => {
    const withQuery = escapeLocation(target.rawQuery === '' ? location : `${location}?${target.rawQuery}`);
    const isRead = message.method === 'GET' || message.method === 'HEAD';
    const words = status === 301 ? 'Moved Permanently' : 'Temporary Redirect';
    send(status, HTML, isRead ? `<a href="${escapeAttribute(withQuery)}">${words}</a>.\n\n` : '', ['Location', withQuery]);
  };
  const { escapedPath } = target;
  const cleaned = cleanPath(escapedPath);
  if (cleaned !== escapedPath) return redirect(307, cleaned);
  if (isPrefix(escapedPath)) return redirect(307, `${escapedPath}/`);
  const uiPath = config.ui.contentPath;
  if (config.ui.enabled && `${escapedPath}/` === uiPath) return redirect(307, uiPath);
  if (config.ui.enabled && escapedPath.startsWith(uiPath)) return send(200, HTML, UI_PAGE, UI_HEADERS);
  if (config.ui.enabled && escapedPath === '/robots.txt') return send(200, TEXT, 'User-agent: *\nDisallow: /\n');
  if (escapedPath !== '/') return send(404, TEXT, notFoundText(target.path));
  if (config.ui.enabled) return redirect(301, uiPath);
  send(200, TEXT, 'Consul Agent: UI disabled. To enable, set ui_config.enabled=true in the agent configuration and restart.');
}

const UI_HEADERS = ['Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'", 'X-Frame-Options', 'SAMEORIGIN'];

function notFoundText(path: string): string {
  if (path.includes('/v1/')) return 'Invalid URL path: not a recognized HTTP API endpoint\n';
  return "Invalid URL path: if attempting to use the HTTP API, ensure the path starts with '/v1/'\n";
}

/** Browsers take a backslash for a slash, so `/\host/` would lead to another host (WHATWG URL); Go escapes the same characters. */
function escapeLocation(location: string): string {
  return location.replace(
    /[^\x21-\x7e]|[\\<>"^`{|}]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

function escapeAttribute(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&#34;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
