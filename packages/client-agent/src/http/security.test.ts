import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestConfig } from '../testing/config.ts';
import { startTestApi, type TestApi } from '../testing/http.ts';
import { openSocket, sendRaw, statusesOf } from '../testing/raw-http.ts';

let api: TestApi;

beforeEach(async () => {
  api = await startTestApi();
});

afterEach(async () => {
  await api.close();
});

describe('request smuggling (Node CVE-2022-32213, 2023-30589, 2024-27982, 2025-23167, 2024-22019)', () => {
  const HEAD = 'PUT /v1/kv/a HTTP/1.1\r\nHost: x\r\n';
  const SMUGGLED = 'GET /v1/kv/smuggled HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
  it.each([
    ['both lengths', `${HEAD}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
    ['two Content-Lengths', `${HEAD}Content-Length: 0\r\nContent-Length: 5\r\n\r\nhello${SMUGGLED}`],
    ['a folded Transfer-Encoding', `${HEAD}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
    ['chunked not last', `${HEAD}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${SMUGGLED}`],
    ['a space before the colon', `${HEAD}Content-Length : 5\r\n\r\nhello${SMUGGLED}`],
    ['a bare CR between headers', `${HEAD}X: y\rContent-Length: 5\r\n\r\nhello${SMUGGLED}`],
    ['a bare LF in chunk sizes', `${HEAD}Transfer-Encoding: chunked\r\n\r\n0\n\n${SMUGGLED}`],
    ['a signed length', `${HEAD}Content-Length: +5\r\n\r\nhello${SMUGGLED}`],
    ['a hexadecimal length', `${HEAD}Content-Length: 0x5\r\n\r\nhello${SMUGGLED}`],
    ['NUL in a header', `${HEAD}X: a\0b\r\nContent-Length: 0\r\n\r\n${SMUGGLED}`],
    ['no header name', `${HEAD}: x\r\nContent-Length: 0\r\n\r\n${SMUGGLED}`],
  ])('refuses %s and never serves what follows', async (_name, bytes) => {
    const received = await sendRaw(api.port, bytes);
    expect(statusesOf(received)).toEqual([400]);
    expect(api.server.calls.some(({ request }) => JSON.stringify(request).includes('smuggled'))).toBe(false);
  });

  it('refuses headers beyond the limit with 431', async () => {
    const received = await sendRaw(api.port, `GET /v1/kv/a HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(200_000)}\r\n\r\n`);
    expect(statusesOf(received)).toEqual([431]);
  });
});

describe('authorisation inside the matched route (middie CVE-2026-22031, express CVE-2026-33808)', () => {
  const deny = { allows: () => false, allowsPrefix: () => false, allowsAny: () => false, accessorId: 'none' };

  it.each([
    'GET /v1/agent/self',
    'GET http://anything/v1/agent/self',
    'GET /v1/%61gent/self',
    'GET /v1/agent/self?x=/v1/status/leader',
    'PUT /v1/agent/leave',
    'PUT /v1/agent/force-leave/n1',
    'GET /v1/agent/metrics',
    'GET /v1/agent/monitor',
    'GET /v1/agent/host',
  ])('denies %s', async (line) => {
    await api.close();
    api = await startTestApi({ authorizer: () => Promise.resolve(deny) }, { aclEnabled: true, aclDefaultPolicy: 'deny' });
    const received = await sendRaw(api.port, `${line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(statusesOf(received)).toEqual([403]);
    expect(received).toContain('Permission denied');
  });

  it.each([
    ['GET /v1/agent%2Fself', 404],
    ['GET /v1//agent/self', 307],
    ['GET /v1/agent/self;x', 404],
    ['GET /v1/agent/self/', 404],
    ['GET /V1/agent/self', 404],
    ['HEAD /v1/agent/self', 405],
  ])('%s never reaches the handler', async (line, status) => {
    await api.close();
    api = await startTestApi({ authorizer: () => Promise.resolve(deny) }, { aclEnabled: true });
    const received = await sendRaw(api.port, `${line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(statusesOf(received)).toEqual([status]);
  });

  it('denies when nobody can resolve tokens', async () => {
    await api.close();
    api = await startTestApi({}, { aclEnabled: true });
    expect((await api.request('/v1/agent/self')).status).toBe(403);
  });
});

describe('writes that a page of another site forges', () => {
  const post = (site: string): Promise<string> => {
    const body = '{"SourceName":"*","DestinationName":"*","Action":"allow"}';
    const head = `POST /v1/connect/intentions HTTP/1.1\r\nHost: x\r\nSec-Fetch-Site: ${site}\r\nContent-Type: text/plain\r\n`;
    return sendRaw(api.port, `${head}Connection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  };

  it('are refused, those of our own pages are not', async () => {
    expect(statusesOf(await post('cross-site'))).toEqual([403]);
    expect(api.server.calls).toEqual([]);
    await post('same-origin');
    expect(api.server.calls.map(({ method }) => method)).toEqual(['Intention.Create']);
  });

  it('are let through where the operator answers other origins', async () => {
    await api.close();
    api = await startTestApi({}, { http: { ...createTestConfig().http, responseHeaders: { 'Access-Control-Allow-Origin': '*' } } });
    await post('cross-site');
    expect(api.server.calls.map(({ method }) => method)).toEqual(['Intention.Create']);
  });
});

describe('limits on bodies', () => {
  it('stops a chunked body at the limit while it streams (CVE-2025-11374)', async () => {
    const chunk = 'x'.repeat(65_536);
    const chunked = `${chunk.length.toString(16)}\r\n${chunk}\r\n`;
    const bytes = `PUT /v1/kv/big HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${chunked.repeat(12)}`;
    const received = await sendRaw(api.port, bytes, /See https/);
    expect(statusesOf(received)).toEqual([413]);
    expect(received).toContain('max size: 524288 bytes');
    expect(received).toMatch(/connection: close/i);
    expect(api.server.calls).toEqual([]);
  });

  it('refuses an announced length at once, and names it', async () => {
    const bytes = 'PUT /v1/kv/big HTTP/1.1\r\nHost: x\r\nContent-Length: 600000\r\n\r\n';
    expect(await sendRaw(api.port, bytes, /See https/)).toContain('Request body(600000 bytes) too large, max size: 524288 bytes.');
  });

  it('limits event payloads (CVE-2025-11375)', async () => {
    const response = await api.request('/v1/event/fire/deploy', { method: 'PUT', body: 'x'.repeat(70_000) });
    expect(response.status).toBe(413);
  });

  it.each([
    ['too deep', '['.repeat(5_000) + ']'.repeat(5_000), 'exceeded max depth'],
    ['too many keys', `{${Array.from({ length: 100_002 }, (_, key) => `"${key}":1`).join(',')}}`, 'too many keys'],
  ])('refuses JSON that is %s', async (_name, body, reason) => {
    const response = await api.request('/v1/agent/service/register', { method: 'PUT', body });
    expect([response.status, await response.text()]).toEqual([400, `Request decode failed: ${reason}`]);
  });

  it('decodes the body whatever its Content-Type says (fastify CVE-2025-32442)', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/json; charset=utf-16', '']) {
      const response = await api.request('/v1/agent/service/register', {
        method: 'PUT',
        body: '{"Port":1}',
        headers: { 'Content-Type': type },
      });
      expect([type, response.status, await response.text()]).toEqual([type, 400, 'Missing service name']);
    }
  });
});

describe('prototype pollution', () => {
  it.each([
    '{"Name":"x","__proto__":{"polluted":1}}',
    '{"Name":"x","Meta":{"__proto__":"p"}}',
    '{"Name":"x","Meta":{"\\u005f_proto__":"p"}}',
    '{"Name":"x","Proxy":{"Config":{"a":[{"__proto__":{"polluted":1}}]}}}',
  ])('refuses the key __proto__ anywhere in JSON, which could never be replicated: %s', async (body) => {
    const response = await api.request('/v1/agent/service/register', { method: 'PUT', body });
    expect([response.status, await response.text()]).toEqual([400, 'Request decode failed: the key "__proto__" is refused']);
    expect(api.services.registrations).toEqual([]);
  });

  it.each([
    ['PUT', '/v1/agent/check/register', '{"Name":"x","TTL":"10s","Header":{"__proto__":["p"]}}'],
    ['PUT', '/v1/agent/check/update/x', '{"Status":"passing","__proto__":1}'],
    ['POST', '/v1/agent/connect/authorize', '{"Target":"a","__proto__":1}'],
    ['PUT', '/v1/catalog/register', '{"Node":"n","Address":"10.0.0.1","NodeMeta":{"__proto__":"p"}}'],
    ['PUT', '/v1/catalog/deregister', '{"Node":"n","__proto__":1}'],
    ['PUT', '/v1/config', '{"Kind":"proxy-defaults","Name":"global","Config":{"__proto__":{"a":1}}}'],
    ['PUT', '/v1/connect/ca/configuration', '{"Provider":"consul","Config":{"__proto__":1}}'],
    ['POST', '/v1/connect/intentions', '{"SourceName":"a","DestinationName":"b","Action":"allow","Meta":{"__proto__":"p"}}'],
    ['PUT', '/v1/connect/intentions/exact?source=a&destination=b', '{"Action":"allow","Meta":{"__proto__":"p"}}'],
    ['PUT', '/v1/coordinate/update', '{"Node":"n","__proto__":1}'],
    ['PUT', '/v1/session/create', '{"Name":"a","__proto__":1}'],
    ['PUT', '/v1/txn', '[{"Node":{"Verb":"set","Node":{"Node":"n","Meta":{"__proto__":"p"}}}}]'],
    ['PUT', '/v1/txn', '[{"KV":{"Verb":"set","Key":"a","Flags":18446744073709551615,"__proto__":1}}]'],
  ])('refuses it with 400 in %s %s', async (method, path, body) => {
    const response = await api.request(path, { method, body });
    expect([response.status, await response.text()]).toEqual([400, expect.stringContaining('the key "__proto__" is refused')]);
    expect(api.server.calls).toEqual([]);
  });

  it('keeps constructor and the like as data', async () => {
    const body = '{"Name":"__proto__","Meta":{"constructor":"c","toString":"t"}}';
    expect((await api.request('/v1/agent/service/register', { method: 'PUT', body })).status).toBe(200);
    expect(api.services.registrations.at(-1)?.definition).toMatchObject({ Name: '__proto__', Meta: { constructor: 'c', toString: 't' } });
    expect(Object.prototype).not.toHaveProperty('polluted');
    await api.request('/v1/catalog/nodes?__proto__=1&node-meta=__proto__:x');
    expect((await api.request('/v1/kv/__proto__', { headers: { ['__proto__']: 'x' } as Record<string, string> })).status).toBe(404);
  });
});

describe('connections per client (CVE-2020-7219, consul-facts T031)', () => {
  it('answers 429 beyond the cap and recovers when connections go', async () => {
    await api.close();
    api = await startTestApi({}, { http: { ...createTestConfig().http, maxConnectionsPerClient: 3 } });
    const held = await Promise.all([openSocket(api.port), openSocket(api.port), openSocket(api.port)]);
    const refused = await sendRaw(api.port, 'GET /v1/status/leader HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(statusesOf(refused)).toEqual([429]);
    expect(refused).toContain('Your IP is issuing too many concurrent connections');
    const closed = Promise.all(held.map((socket) => new Promise((resolve) => socket.once('close', resolve))));
    for (const socket of held) socket.destroy();
    await closed;
    await expect.poll(async () => (await api.request('/v1/kv/a')).status).toBe(404);
  });
});

describe('hostile input', () => {
  it('never kills the agent: bodies', async () => {
    const paths = [
      'agent/service/register',
      'agent/check/register',
      'catalog/register',
      'txn',
      'session/create',
      'config',
      'connect/ca/configuration',
    ];
    const body = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.json(),
      fc.constantFrom('null', '0', '[null]', '{"Name":null}'),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), body, async (path, text) => {
        const response = await api.request(`/v1/${path}`, { method: 'PUT', body: text });
        await response.text();
        expect(response.status).toBeGreaterThanOrEqual(200);
      }),
      { numRuns: 300 },
    );
    expect((await api.request('/v1/kv/alive')).status).toBe(404);
  });

  it('never kills the agent: request lines', async () => {
    const line = fc.string({
      unit: fc.constantFrom('/', 'v', '1', 'k', '%', '2', 'F', '.', ';', '?', '=', '&', '#', '\\', '\u0000', 'é', ' '),
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(line, async (path) => {
        await sendRaw(api.port, Buffer.from(`GET /${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`, 'latin1'));
      }),
      { numRuns: 300 },
    );
    expect((await api.request('/v1/kv/alive')).status).toBe(404);
  });

  it('keeps X-Forwarded-For out of every decision (fastify CVE-2026-3635)', async () => {
    await api.close();
    api = await startTestApi({}, { http: { ...createTestConfig().http, allowWriteFrom: ['10.0.0.0/8'] } });
    const headers = { 'X-Forwarded-For': '10.0.0.1', Forwarded: 'for=10.0.0.1' };
    expect((await api.request('/v1/kv/a', { method: 'PUT', body: 'x', headers })).status).toBe(403);
  });

  it('escapes what a path brings into a header', async () => {
    const response = await api.request('/v1/agent/health/service/name/a%0d%0aX-Evil:%201');
    expect(response.status).toBe(400);
    expect((await api.request('/v1/agent/health/service/name/é')).headers.get('x-consul-reason')).toBe('ServiceName ? Not Found');
  });
});
