import { afterEach, describe, expect, it } from 'vitest';
import type { AgentCache, CacheOptions } from '../../contracts/index.ts';
import { createTestConfig } from '../../testing/config.ts';
import { startTestApi, type TestApi } from '../../testing/http.ts';
import { readReply, TEST_META } from '../../testing/server-port.ts';

const open: TestApi[] = [];
afterEach(async () => {
  for (const api of open.splice(0)) await api.close();
});

async function start(...args: Parameters<typeof startTestApi>): Promise<TestApi> {
  const api = await startTestApi(...args);
  api.server.handlers = {
    'Catalog.ListNodes': () => readReply([]),
    'Catalog.ServiceNodes': () => readReply([]),
    'Health.ServiceNodes': () => readReply([]),
    'Coordinate.ListNodes': () => readReply([]),
  };
  open.push(api);
  return api;
}

describe('what catalog and health reads are asked for (consul-facts 2.0, common query)', () => {
  it.each<[string, string, object]>([
    ['/v1/catalog/nodes?near=_agent', 'Catalog.ListNodes', { near: 'test-node' }],
    ['/v1/catalog/nodes?near=n1&filter=Meta.a==b', 'Catalog.ListNodes', { near: 'n1', filter: 'Meta.a==b' }],
    ['/v1/catalog/nodes?node-meta=a:b:c&node-meta=d&node-meta=a:z', 'Catalog.ListNodes', { nodeMeta: { a: 'z', d: '' } }],
    ['/v1/catalog/service/web?tag=a&tag=b', 'Catalog.ServiceNodes', { service: 'web', tags: ['a', 'b'] }],
    ['/v1/catalog/service/web?peer=east', 'Catalog.ServiceNodes', { service: 'web', peer: 'east' }],
    ['/v1/catalog/connect/web?merge-central-config', 'Catalog.ServiceNodes', { service: 'web', mergeCentralConfig: true, connect: true }],
    ['/v1/health/service/web?passing', 'Health.ServiceNodes', { service: 'web', passingOnly: true }],
    ['/v1/health/service/web?passing=1', 'Health.ServiceNodes', { service: 'web', passingOnly: true }],
    ['/v1/health/service/web?passing=false', 'Health.ServiceNodes', { service: 'web' }],
    ['/v1/health/connect/web', 'Health.ServiceNodes', { service: 'web', connect: true }],
    ['/v1/health/ingress/web', 'Health.ServiceNodes', { service: 'web', ingress: true }],
    ['/v1/health/service/a%2Fb', 'Health.ServiceNodes', { service: 'a/b' }],
  ])('%s', async (path, method, request) => {
    const api = await start({}, { nodeName: 'test-node' });
    expect((await api.request(path)).status).toBe(200);
    expect(api.server.calls.map((call) => [call.method, call.request])).toEqual([[method, request]]);
  });

  it.each([
    ['/v1/health/service/web?passing=maybe', 'Invalid value for ?passing'],
    ['/v1/health/service/', 'Missing service name'],
    ['/v1/health/state/', 'Missing check state'],
    ['/v1/catalog/node/', 'Missing node name'],
    ['/v1/catalog/gateway-services/', 'Missing gateway name'],
  ])('%s is refused', async (path, text) => {
    const response = await (await start()).request(path);
    expect([response.status, await response.text()]).toEqual([400, text]);
  });
});

describe('discovery_max_stale (consul-facts 2.0)', () => {
  const stale = { consistency: 'stale', maxStaleMs: 5000 };

  it.each<[string, object]>([
    ['/v1/catalog/nodes', stale],
    ['/v1/health/service/web', stale],
    ['/v1/catalog/nodes?leader', { consistency: 'default' }],
    ['/v1/catalog/nodes?consistent', { consistency: 'consistent' }],
    ['/v1/catalog/nodes?stale', { consistency: 'stale' }],
    ['/v1/catalog/nodes?max_stale=1s', { consistency: 'stale', maxStaleMs: 1000 }],
    ['/v1/coordinate/nodes', { consistency: 'default' }],
  ])('%s', async (path, query) => {
    const api = await start({}, { discoveryMaxStaleMs: 5000 });
    await api.request(path);
    expect(api.server.calls[0]?.options.query).toEqual(query);
  });

  it('changes nothing when it is not set', async () => {
    const api = await start();
    await api.request('/v1/catalog/nodes');
    expect(api.server.calls[0]?.options.query).toEqual({ consistency: 'default' });
  });
});

describe('?cached (consul-facts 2.0, D:api-docs/features/caching)', () => {
  /** Answers a hit of a given age, and remembers what it was asked. */
  function cacheOf(hit: boolean, ageMs: number, asked: CacheOptions[]): AgentCache {
    return {
      entryCount: 0,
      get: (_type, _request, options) => {
        asked.push(options);
        return Promise.resolve({ value: [] as never, meta: TEST_META, hit, ageMs });
      },
    } as AgentCache;
  }

  it('says whether the answer was there already, and how old it is', async () => {
    const hit = await (await start({ cache: cacheOf(true, 12_400, []) })).request('/v1/health/service/web?cached');
    expect([hit.headers.get('x-cache'), hit.headers.get('age'), hit.headers.get('x-consul-index')]).toEqual(['HIT', '12', '7']);
    const miss = await (await start({ cache: cacheOf(false, 0, []) })).request('/v1/health/service/web?cached');
    expect([miss.headers.get('x-cache'), miss.headers.get('age')]).toEqual(['MISS', null]);
  });

  it.each<[string, object]>([
    ['max-age=30', { maxAgeMs: 30_000 }],
    ['max-age=0', { maxAgeMs: 0, mustRevalidate: true }],
    ['Must-Revalidate, stale-if-error=60', { mustRevalidate: true, staleIfErrorMs: 60_000 }],
    ['no-store', {}],
  ])('takes Cache-Control: %s', async (header, options) => {
    const asked: CacheOptions[] = [];
    const api = await start({ cache: cacheOf(true, 0, asked) });
    await api.request('/v1/catalog/service/web?cached', { headers: { 'Cache-Control': header } });
    expect(asked).toEqual([{ token: expect.anything(), datacenter: 'dc1', ...options }]);
  });

  it.each(['max-age=x', 'max-age=', 'stale-if-error=1s'])('refuses Cache-Control: %s', async (header) => {
    const api = await start({ cache: cacheOf(true, 0, []) });
    const response = await api.request('/v1/catalog/service/web?cached', { headers: { 'Cache-Control': header } });
    expect([response.status, await response.text()]).toEqual([400, 'Invalid Cache-Control header.']);
  });

  it('is ignored where the operator turned the cache off, and by reads that have none', async () => {
    const asked: CacheOptions[] = [];
    const off = await start({ cache: cacheOf(true, 0, asked) }, { http: { ...createTestConfig().http, useCache: false } });
    const response = await off.request('/v1/catalog/service/web?cached&consistent');
    expect([response.status, response.headers.get('x-cache')]).toEqual([200, null]);
    const uncached = await start({ cache: cacheOf(true, 0, asked) });
    expect((await uncached.request('/v1/catalog/nodes?cached')).headers.get('x-cache')).toBeNull();
    expect(asked).toEqual([]);
  });
});
