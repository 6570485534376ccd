import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createClient, type LictorClient } from '../client.ts';
import { json, startServer, type TestServer } from '../testing/http-server.ts';

const ID = '67326b8c-7409-7135-e864-7ae009ae0252';
const NODE = { Node: { Node: 'n1' }, Service: { ID: 'web' } };

let server: TestServer;
let client: LictorClient;

beforeEach(async () => {
  server = await startServer(({ method, url }, response) => {
    const [path = ''] = url.split('?');
    if (path === '/v1/query') return json(response, method === 'POST' ? { ID } : null);
    if (path === `/v1/query/${ID}`) return method === 'GET' ? json(response, [{ ID }]) : response.writeHead(200).end();
    if (path.endsWith('/explain')) return json(response, { Query: { ID }, Index: 1 });
    if (path === '/v1/query/none/execute')
      return json(response, { Service: 'web', Nodes: null, DNS: { TTL: '' }, Datacenter: 'dc1', Failovers: 1 });
    if (path.endsWith('/execute'))
      return json(response, {
        Service: 'web',
        Nodes: [{ ...NODE, Checks: null }],
        DNS: { TTL: '1s' },
        Datacenter: 'dc2',
        PeerName: '',
        Failovers: 0,
      });
    return response.writeHead(404).end('Query not found');
  });
  client = createClient({ address: server.address });
});

afterEach(async () => {
  await client.close();
  await server.close();
});

function asked(): string {
  const last = server.requests.at(-1);
  return `${last?.method} ${last?.url} ${last?.body}`.trim();
}

describe('prepared queries (consul-facts H120-H126)', () => {
  it('are written, listed and read', async () => {
    expect(await client.preparedQuery.create({ Name: 'q', Service: { Service: 'web', Failover: { NearestN: 1 } } })).toBe(ID);
    expect(asked()).toBe('POST /v1/query {"Name":"q","Service":{"Service":"web","Failover":{"NearestN":1}}}');
    expect((await client.preparedQuery.list()).value).toEqual([]);
    expect((await client.preparedQuery.get(ID)).value).toEqual({ ID });
    expect((await client.preparedQuery.get('nope')).value).toBeUndefined();
    await client.preparedQuery.update(ID, { Service: { Service: 'web' } });
    expect(asked()).toBe(`PUT /v1/query/${ID} {"Service":{"Service":"web"}}`);
    await client.preparedQuery.delete(ID, { datacenter: 'dc2' });
    expect(asked()).toBe(`DELETE /v1/query/${ID}?dc=dc2`);
  });

  it('are executed by name or id, with empty lists for nulls', async () => {
    const { value } = await client.preparedQuery.execute('geo web', { limit: 3, connect: true, near: '_agent', consistency: 'stale' });
    expect(value).toEqual({
      Service: 'web',
      Nodes: [{ ...NODE, Checks: [] }],
      DNS: { TTL: '1s' },
      Datacenter: 'dc2',
      PeerName: '',
      Failovers: 0,
    });
    const { pathname, searchParams } = new URL(server.requests.at(-1)?.url ?? '', 'http://x');
    expect(pathname).toBe('/v1/query/geo%20web/execute');
    expect(Object.fromEntries(searchParams)).toEqual({ limit: '3', connect: 'true', near: '_agent', stale: '' });
    expect((await client.preparedQuery.execute('none')).value).toMatchObject({ Nodes: [], PeerName: '', Failovers: 1 });
    expect(asked()).toBe('GET /v1/query/none/execute');
    expect((await client.preparedQuery.explain('q')).value).toEqual({ ID });
  });
});
