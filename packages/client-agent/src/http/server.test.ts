import { get, type IncomingHttpHeaders } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { LictorError } from '@lictor/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { createTestConfig } from '../testing/config.ts';
import { startTestApi, type TestApi } from '../testing/http.ts';
import { readReply } from '../testing/server-port.ts';

let running: TestApi | undefined;

async function start(...options: Parameters<typeof startTestApi>): Promise<TestApi> {
  running = await startTestApi(...options);
  return running;
}

afterEach(async () => {
  await running?.close();
  running = undefined;
});

describe('methods (consul-facts 2.0)', () => {
  it('answers OPTIONS with the methods, and others with 405', async () => {
    const api = await start();
    const options = await api.request('/v1/kv/a', { method: 'OPTIONS' });
    expect([options.status, options.headers.get('allow')]).toEqual([200, 'OPTIONS,GET,PUT,DELETE']);
    const post = await api.request('/v1/kv/a', { method: 'POST', body: 'x' });
    expect([post.status, await post.text()]).toEqual([405, 'method POST not allowed']);
    expect((await api.request('/v1/kv/a', { method: 'HEAD' })).status).toBe(405);
  });
});

describe('paths outside the API', () => {
  it.each([
    ['/v1/nope', 404, 'Invalid URL path: not a recognized HTTP API endpoint\n'],
    ['/nope', 404, "Invalid URL path: if attempting to use the HTTP API, ensure the path starts with '/v1/'\n"],
    ['/robots.txt', 200, 'User-agent: *\nDisallow: /\n'],
  ])('%s', async (path, status, text) => {
    const response = await (await start()).request(path);
    expect([response.status, await response.text()]).toEqual([status, text]);
  });

  it('serves a page at /ui/ that runs nothing', async () => {
    const response = await (await start()).request('/ui/');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
  });

  it('redirects to the UI, to the prefix and to the clean path', async () => {
    const api = await start();
    const at = async (path: string): Promise<unknown> => {
      const { status, headers } = await api.request(path);
      return [status, headers.get('location')];
    };
    expect(await at('/')).toEqual([301, '/ui/']);
    expect(await at('/v1/kv?keys')).toEqual([307, '/v1/kv/?keys']);
    expect(await at('/v1//catalog/nodes')).toEqual([307, '/v1/catalog/nodes']);
  });
});

describe('headers of every answer', () => {
  it('are set on results and on errors', async () => {
    const api = await start();
    for (const path of ['/v1/status/leader', '/v1/kv/']) {
      const { headers } = await api.request(path);
      expect(headers.get('vary')).toBe('Accept-Encoding');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('x-consul-default-acl-policy')).toBe('allow');
      expect(headers.get('access-control-allow-origin')).toBeNull();
    }
  });

  it('include the operator’s own, which cannot replace those of the API', async () => {
    const responseHeaders = { 'Access-Control-Allow-Origin': '*', 'Content-Type': 'text/html' };
    const http = { ...createTestConfig().http, responseHeaders };
    const api = await start({}, { http });
    const { headers } = await api.request('/v1/kv/absent');
    expect(headers.get('access-control-allow-origin')).toBe('*');
    expect(headers.get('content-type')).toBeNull();
  });

  it('leave out what cannot be sent', async () => {
    const responseHeaders = { 'X-Fine': 'yes', 'X-Broken': 'a\nb', 'not a name': 'x' };
    const api = await start({}, { http: { ...createTestConfig().http, responseHeaders } });
    const { headers, status } = await api.request('/v1/status/leader');
    expect([status, headers.get('x-fine'), headers.get('x-broken')]).toEqual([500, 'yes', null]);
    expect((await api.request('/ui/')).headers.get('x-fine')).toBe('yes');
  });

  it('never say index 0, which would make clients spin', async () => {
    const api = await start();
    api.server.handlers = { 'KVS.Get': () => readReply(null, { index: 0 }) };
    expect((await api.request('/v1/kv/a')).headers.get('x-consul-index')).toBe('1');
  });
});

describe('errors', () => {
  it.each([
    [new LictorError('permission-denied', 'Permission denied'), 403],
    [new LictorError('no-path-to-datacenter', 'No path to datacenter'), 500],
    [new LictorError('no-leader', 'No cluster leader'), 500],
    [new LictorError('rate-limited', 'slow down'), 429],
    [new LictorError('unavailable', 'shutting down'), 503],
  ])('%s', async (error, status) => {
    const api = await start();
    api.server.handlers = { 'KVS.Get': () => Promise.reject(error) };
    const response = await api.request('/v1/kv/a');
    expect([response.status, await response.text()]).toEqual([status, error.message]);
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
  });
});

describe('read parameters', () => {
  it.each([
    ['index=abc', 'Invalid index'],
    ['index=-1', 'Invalid index'],
    ['index=99999999999999999999', 'Invalid index'],
    ['index=1&wait=xx', 'Invalid wait time'],
    ['stale&consistent', 'Cannot specify ?stale with ?consistent, conflicting semantics.'],
    ['cached&consistent', 'Cannot specify ?cached with ?consistent, conflicting semantics.'],
    ['max_stale=abc', 'Invalid max_stale value "abc"'],
    ['partition=x', 'Invalid query parameter: "partition" - Partitions are a Consul Enterprise feature'],
  ])('%s: %s', async (query, text) => {
    const response = await (await start()).request(`/v1/kv/a?${query}`);
    expect([response.status, await response.text()]).toEqual([400, text]);
  });

  it('reach the servers, the wait limited by the configuration', async () => {
    const api = await start({}, { maxQueryTimeMs: 600_000, defaultQueryTimeMs: 300_000 });
    await api.request('/v1/kv/a?index=5&wait=1h&stale&max_stale=10s&dc=dc2');
    await api.request('/v1/kv/a?index=5');
    const [first, second] = api.server.calls;
    expect(first?.options).toMatchObject({
      datacenter: 'dc2',
      query: { consistency: 'stale', minIndex: 5, maxWaitMs: 600_000, maxStaleMs: 10_000 },
    });
    expect(second?.options.query).toMatchObject({ consistency: 'default', minIndex: 5, maxWaitMs: 300_000 });
  });

  it('take tokens from the query, then the header, then a bearer', async () => {
    const api = await start();
    const headers = { 'X-Consul-Token': 'from-header', Authorization: 'Bearer from-bearer' };
    await api.request('/v1/kv/a?token=from-query', { headers });
    await api.request('/v1/kv/a', { headers });
    await api.request('/v1/kv/a', { headers: { Authorization: 'bearer  from-bearer x' } });
    await api.request('/v1/kv/a', { headers: { Authorization: 'Basic abc' } });
    expect(api.server.calls.map(({ options }) => options.token?.reveal())).toEqual(['from-query', 'from-header', 'from-bearer', '']);
  });
});

describe('bodies', () => {
  it('are indented with a newline when asked, and always in -dev', async () => {
    const compact = await start({}, { devMode: false });
    await compact.request('/v1/kv/a', { method: 'PUT', body: 'x' });
    expect(await (await compact.request('/v1/kv/a')).text()).toMatch(/^\[\{"LockIndex"/);
    expect(await (await compact.request('/v1/kv/a?pretty')).text()).toMatch(/^\[\n {4}\{\n {8}"LockIndex".*\]\n$/s);
  });

  it('are compressed for real when the client takes gzip and they are worth it', async () => {
    const api = await start();
    await api.request('/v1/kv/big', { method: 'PUT', body: 'x'.repeat(4_000) });
    const response = await rawGet(api, '/v1/kv/big', { 'Accept-Encoding': 'gzip' });
    expect(response.headers['content-encoding']).toBe('gzip');
    expect(JSON.parse(gunzipSync(response.body).toString())).toHaveLength(1);
    expect((await rawGet(api, '/v1/kv/big', { 'Accept-Encoding': 'gzip;q=0' })).headers['content-encoding']).toBeUndefined();
    expect((await rawGet(api, '/v1/kv/absent', { 'Accept-Encoding': 'gzip' })).headers['content-encoding']).toBeUndefined();
  });
});

describe('access by address and path', () => {
  it('refuses writes from outside of allow_write_http_from, reads stay open', async () => {
    const http = { ...createTestConfig().http, allowWriteFrom: ['10.0.0.0/8'] };
    const api = await start({}, { http });
    const put = await api.request('/v1/kv/a', { method: 'PUT', body: 'x' });
    expect([put.status, await put.text()]).toEqual([403, 'Access is restricted']);
    expect((await api.request('/v1/kv/a')).status).toBe(404);
  });

  it('blocks endpoints by prefix, however the path is written', async () => {
    const http = { ...createTestConfig().http, blockEndpoints: ['/v1/kv'] };
    const api = await start({}, { http });
    for (const path of ['/v1/kv/a', '/v1/%6bv/a', '/v1/kv/']) {
      const response = await api.request(path);
      expect([path, response.status, await response.text()]).toEqual([path, 403, 'Endpoint is blocked by agent configuration']);
    }
    expect(api.server.calls).toEqual([]);
  });
});

function rawGet(api: TestApi, path: string, headers: Record<string, string>): Promise<{ headers: IncomingHttpHeaders; body: Buffer }> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port: api.port, path, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ headers: response.headers, body: Buffer.concat(chunks) }));
    }).on('error', reject);
  });
}
