import { afterEach, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../testing/http.ts';
import { writeReply } from '../testing/server-port.ts';

const HEADER = 'X-Lictor-Applied-Index';
let api: TestApi;
afterEach(() => api.close());

const get = (path: string, headers: Record<string, string> = {}) => api.request(path, { headers });
const lastQuery = () => api.server.calls.at(-1)?.options.query;

describe('read your writes', () => {
  it('a write says at which index it was applied, a read says nothing', async () => {
    api = await startTestApi();
    const put = await api.request('/v1/kv/a', { method: 'PUT', body: 'x' });
    expect(put.headers.get(HEADER)).toBe('2');
    const remove = await api.request('/v1/kv/a', { method: 'DELETE' });
    expect(remove.headers.get(HEADER)).toBe('3');
    expect((await get('/v1/kv/a')).headers.get(HEADER)).toBeNull();
  });

  it('so do transactions, sessions, intentions and the catalog', async () => {
    api = await startTestApi();
    api.server.handlers = {
      'Txn.Apply': () => writeReply({ Results: [], Errors: [] }, 11),
      'Session.Create': () => writeReply('id', 12),
      'Intention.UpsertExact': () => writeReply(undefined, 13),
      'Catalog.Register': () => writeReply(undefined, 14),
      'ConfigEntry.Apply': () => writeReply(true, 15),
    };
    const sent: readonly (readonly [string, string])[] = [
      ['/v1/txn', '[{"KV":{"Verb":"set","Key":"a","Value":""}}]'],
      ['/v1/session/create', '{}'],
      ['/v1/connect/intentions/exact?source=a&destination=b', '{"Action":"allow"}'],
      ['/v1/catalog/register', '{"Node":"n","Address":"1.1.1.1"}'],
      ['/v1/config', '{"Kind":"service-defaults","Name":"web"}'],
    ];
    const seen: (string | null)[] = [];
    for (const [path, body] of sent) seen.push((await api.request(path, { method: 'PUT', body })).headers.get(HEADER));
    expect(seen).toEqual(['11', '12', '13', '14', '15']);
  });

  it('a read can ask for it by header or parameter, and waits no longer than for a leader', async () => {
    api = await startTestApi({}, { rpcHoldMs: 7000 });
    await get('/v1/kv/a?stale', { [HEADER]: '41' });
    expect(lastQuery()).toEqual({ consistency: 'stale', appliedIndex: 41, maxWaitMs: 7000 });
    await get('/v1/kv/a?applied-index=42');
    expect(lastQuery()).toEqual({ consistency: 'default', appliedIndex: 42, maxWaitMs: 7000 });
    await get('/v1/kv/a?applied-index=42', { [HEADER]: '50' });
    expect(lastQuery()?.appliedIndex).toBe(50);
    await get('/v1/kv/a?applied-index=42&index=7&wait=30s');
    expect(lastQuery()).toMatchObject({ appliedIndex: 42, minIndex: 7, maxWaitMs: 30_000 });
    await get('/v1/kv/a?applied-index=0');
    expect(lastQuery()).toEqual({ consistency: 'default' });
  });

  it('goes past the agent’s cache, which may be older', async () => {
    api = await startTestApi();
    const response = await get('/v1/health/service/web?cached&applied-index=3');
    expect(response.headers.get('x-cache')).toBeNull();
    expect(lastQuery()?.appliedIndex).toBe(3);
  });

  it.each(['x', '-1', '1.5', '9007199254740992', '99999999999999999999', '0x10', ' 1 2'])('%s is no index', async (text) => {
    api = await startTestApi();
    const byParameter = await get(`/v1/kv/a?applied-index=${encodeURIComponent(text)}`);
    expect([byParameter.status, await byParameter.text()]).toEqual([400, 'Invalid applied index']);
    const byHeader = await get('/v1/catalog/nodes', { [HEADER]: text });
    expect([byHeader.status, await byHeader.text()]).toEqual([400, 'Invalid applied index']);
    expect(api.server.calls).toEqual([]);
  });
});
