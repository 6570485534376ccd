import { allowAll, type Authorizer } from '@lictor/mesh';
import { afterEach, describe, expect, it } from 'vitest';
import { createTestConfig } from '../../testing/config.ts';
import { startTestApi, type TestApi } from '../../testing/http.ts';
import { sendRaw, statusesOf } from '../../testing/raw-http.ts';
import { apiRoutes } from '../v1/index.ts';

/**
 * Guards by path drift from the router (@fastify/middie CVE-2026-2880, CVE-2026-33804, CVE-2026-14198, CVE-2026-85184, CVE-2026-112712):
 * whatever form a path is sent in, whoever is let through to a route was let through by that very route.
 */
const denyAll: Authorizer = { allows: () => false, allowsPrefix: () => false, allowsAny: () => false, accessorId: 'none' };

/** Other spellings of `/v1/a/b`. */
const FORMS: readonly (readonly [name: string, spell: (path: string) => string])[] = [
  ['as it is', (path) => path],
  ['absolute form', (path) => `http://other.example${path}`],
  ['absolute form with userinfo', (path) => `http://u@h:1${path}`],
  ['an upper-case scheme', (path) => `HTTP://h${path}`],
  ['a percent-encoded letter', (path) => path.replace(/[a-z](?=[^/]*\/?$)/, (letter) => `%${letter.charCodeAt(0).toString(16)}`)],
  ['every letter percent-encoded', (path) => path.replace(/[a-z]/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`)],
  ['%2F', (path) => path.replace(/(?<=.)\//, '%2F')],
  ['%2f at the last slash', (path) => path.replace(/\/(?=[^/]+\/?$)/, '%2f')],
  ['%5C', (path) => path.replace(/(?<=.)\//, '%5C')],
  ['a semicolon', (path) => `${path};x=1`],
  ['a semicolon inside', (path) => path.replace('/v1', '/v1;x')],
  ['double slashes', (path) => path.replace('/v1/', '/v1//')],
  ['two slashes before', (path) => `/${path}`],
  ['a dot segment', (path) => path.replace('/v1', '/v1/.')],
  ['dot-dot', (path) => `/v1/kv/..${path.slice(3)}`],
  ['encoded dot-dot', (path) => `/v1/kv/%2e%2e${path.slice(3)}`],
  ['dot-dot with parameters', (path) => `/v1/kv/..;${path.slice(3)}`],
  ['a backslash', (path) => path.replace('/v1/', '/v1\\')],
  ['upper case', (path) => path.toUpperCase()],
  ['a slash behind', (path) => `${path}/`],
  ['a space behind', (path) => `${path}%20`],
  ['NUL behind', (path) => `${path}%00`],
  ['a query', (path) => `${path}?x=/v1/status/leader`],
  ['a fragment', (path) => `${path}#/v1/status/leader`],
  ['double encoding', (path) => path.replace('/v1/', '/v1%252F')],
];
/** Their answer is the same for everybody. */
const PUBLIC = new Set(['/v1/status/leader', '/v1/status/peers', '/v1/agent/version']);
/** Waits for something that the doubles behind this API never do. */
const ENDLESS = new Set(['/v1/agent/monitor', '/v1/agent/metrics/stream']);

const guarded = apiRoutes.filter(({ acl, path }) => acl.by === 'agent' && !PUBLIC.has(path) && !ENDLESS.has(path));

let api: TestApi;
afterEach(() => api.close());

async function statusOf(method: string, target: string): Promise<number> {
  const received = await sendRaw(api.port, `${method} ${target} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`);
  return statusesOf(received)[0] ?? 0;
}

/** Everything but an answer of the route itself: no such place, no such method, not like this, or no. */
const CLOSED = [301, 307, 400, 403, 404, 405];

describe('the route that answers is the route that was authorised (middie CVE-2026-22031, 2026-2880, 2026-33804, 2026-14198)', () => {
  it.each(FORMS)('%s', async (_name, spell) => {
    expect(guarded.length).toBeGreaterThan(12);
    let decided = 0;
    let left = 0;
    api = await startTestApi(
      {
        authorizer: () => Promise.resolve({ ...denyAll, allows: () => (decided++, false) }),
        lifecycle: { reload: () => Promise.resolve(void left++), leave: () => Promise.resolve(void left++) },
      },
      { aclEnabled: true, aclDefaultPolicy: 'deny' },
    );
    const open: string[] = [];
    for (const { method, path } of guarded) {
      const target = spell(path.endsWith('/') ? `${path}name` : path);
      for (const each of [method, 'HEAD']) {
        const before = decided;
        const status = await statusOf(each, target);
        // A key may be named `../agent/leave`; the servers decide about keys.
        if (target.startsWith('/v1/kv/')) continue;
        if (!CLOSED.includes(status) || (status === 403 && decided === before)) open.push(`${each} ${target}: ${status}`);
      }
    }
    expect(open).toEqual([]);
    expect(api.services.registrations).toEqual([]);
    expect(new Set(api.server.calls.map(({ method }) => method.split('.')[0]))).not.toContain('Catalog');
    expect(left).toBe(0);
  });
});

describe('http_config.block_endpoints in every form (middie CVE-2026-85184)', () => {
  it.each(FORMS)('%s', async (_name, spell) => {
    api = await startTestApi(
      { authorizer: () => Promise.resolve(allowAll) },
      { http: { ...createTestConfig().http, blockEndpoints: ['/v1/agent/self', '/v1/agent/service', '/v1/event'] } },
    );
    for (const path of ['/v1/agent/self', '/v1/agent/service/web', '/v1/event/list']) {
      for (const method of ['GET', 'HEAD']) expect([path, CLOSED.includes(await statusOf(method, spell(path)))]).toEqual([path, true]);
    }
    await statusOf('PUT', spell('/v1/agent/service/register'));
    expect(api.services.registrations).toEqual([]);
  });
});

describe('http_config.allow_write_http_from in every form (middie CVE-2026-112712)', () => {
  it.each(FORMS)('%s', async (_name, spell) => {
    api = await startTestApi({}, { http: { ...createTestConfig().http, allowWriteFrom: ['10.0.0.0/8'] } });
    for (const { method, path } of apiRoutes.filter((route) => route.method !== 'GET')) {
      const target = spell(path.endsWith('/') ? `${path}name` : path);
      for (const each of [method, method.toLowerCase()]) {
        const status = await statusOf(each, target);
        expect([each, target, CLOSED.includes(status)]).toEqual([each, target, true]);
      }
    }
    expect(api.server.calls.filter(({ method }) => /Apply|Register|Deregister|Create|Destroy|Set|Restore/.test(method))).toEqual([]);
    expect(api.services.registrations).toEqual([]);
  });
});
