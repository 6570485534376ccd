import { Secret } from '@lictor/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { type ClientConfig, createClient, type LictorClient } from './client.ts';
import { json, type Responder, startServer, type TestServer } from './testing/http-server.ts';

let server: TestServer;
let client: LictorClient;

async function start(respond: Responder, config: ClientConfig = {}): Promise<void> {
  server = await startServer(respond);
  client = createClient({ address: server.address, ...config });
}

afterEach(async () => {
  await client.close();
  await server.close();
});

describe('requests', () => {
  it('carry options as the API spells them', async () => {
    await start((_request, response) => json(response, []));
    await client.catalog.nodes({
      index: 7,
      waitMs: 1500,
      consistency: 'stale',
      filter: 'Node == "a b"',
      near: '_agent',
      datacenter: 'dc2',
      nodeMeta: { rack: 'r1' },
      token: new Secret('t'),
      cached: true,
      maxAgeMs: 30_000,
    });
    const [request] = server.requests;
    const { pathname, searchParams } = new URL(request?.url ?? '', 'http://h');
    expect(pathname).toBe('/v1/catalog/nodes');
    expect(Object.fromEntries(searchParams)).toEqual({
      index: '7',
      wait: '1500ms',
      stale: '',
      filter: 'Node == "a b"',
      near: '_agent',
      dc: 'dc2',
      'node-meta': 'rack:r1',
      cached: '',
    });
    expect(request?.headers['x-consul-token']).toBe('t');
    expect(request?.headers['cache-control']).toBe('max-age=30');
  });

  it('repeat a parameter for each of a list', async () => {
    await start((_request, response) => json(response, []));
    await client.health.service('web', { tags: ['a', 'b'], passingOnly: true });
    expect(server.requests[0]?.url).toBe('/v1/health/service/web?passing=1&tag=a&tag=b');
  });

  it('keep the slashes of a key and escape those of a name', async () => {
    await start((_request, response) => json(response, []));
    await client.kv.get('a/../b c/%');
    await client.catalog.service('x/y');
    expect(server.requests.map(({ url }) => url)).toEqual(['/v1/kv/a/../b%20c/%25', '/v1/catalog/service/x%2Fy']);
  });

  it('cannot be split in two by a header value (Node CVE class of request splitting)', async () => {
    await start((_request, response) => json(response, []), { token: 'a\r\nX-Evil: 1' });
    await expect(client.catalog.nodes()).rejects.toThrow('invalid value for header x-consul-token');
    expect(server.requests).toEqual([]);
  });

  it('never follow a redirect, so the token stays', async () => {
    await start((_request, response) => response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end('moved'), { token: 'secret' });
    await expect(client.kv.get('x')).rejects.toMatchObject({ status: 307 });
    expect(server.requests).toHaveLength(1);
  });

  it('reuse their connections', async () => {
    const sockets = new Set<unknown>();
    await start((_request, response) => {
      sockets.add(response.socket);
      json(response, []);
    });
    for (let round = 0; round < 20; round++) await client.catalog.nodes();
    // The pool may open a second one while the first is being put back.
    expect(sockets.size).toBeLessThanOrEqual(2);
  });
});

describe('answers', () => {
  it('come with what the headers say', async () => {
    await start((_request, response) =>
      json(response, [], {
        'X-Consul-Index': '42',
        'X-Consul-KnownLeader': 'true',
        'X-Consul-LastContact': '9',
        'X-Cache': 'HIT',
        Age: '3',
        'X-Consul-Results-Filtered-By-ACLs': 'true',
        'X-Consul-Default-ACL-Policy': 'deny',
      }),
    );
    const { meta } = await client.catalog.nodes();
    expect(meta).toMatchObject({
      index: 42,
      knownLeader: true,
      lastContactMs: 9,
      cacheHit: true,
      cacheAgeMs: 3000,
      resultsFilteredByAcls: true,
      defaultAclPolicy: 'deny',
    });
  });

  it('decode KV values and flags', async () => {
    await start((_request, response) =>
      response.end('[{"Key":"k","Value":"aGk=","Flags":18446744073709551615,"Session":"","LockIndex":0}]'),
    );
    const { value } = await client.kv.get('k');
    expect(value).toMatchObject({ Key: 'k', Flags: 2n ** 64n - 1n });
    expect(Buffer.from(value?.Value ?? []).toString()).toBe('hi');
  });

  it("take Go's null for an empty list", async () => {
    await start((_request, response) => json(response, null));
    expect((await client.catalog.nodes()).value).toEqual([]);
    expect((await client.session.info('none')).value).toBeUndefined();
  });

  it('take a 404 for an absent key, with its index', async () => {
    await start((_request, response) => response.writeHead(404, { 'X-Consul-Index': '5' }).end());
    expect(await client.kv.get('none')).toMatchObject({ value: undefined, meta: { index: 5 } });
  });

  it('turn into errors in the words of the CLI', async () => {
    await start((_request, response) => response.writeHead(500).end('No cluster leader\n'));
    await expect(client.catalog.datacenters()).rejects.toThrow('Unexpected response code: 500 (No cluster leader)');
  });

  it('are refused when they are longer than allowed', async () => {
    await start((_request, response) => json(response, 'x'.repeat(1000)), { maxResponseBytes: 100 });
    await expect(client.status.leader()).rejects.toThrow('response is longer than 100 bytes');
  });
});

describe('a broken connection', () => {
  it('is worded as Go words it', async () => {
    await start((_request, response) => json(response, []));
    const { address } = server;
    await server.close();
    await expect(client.kv.get('foo')).rejects.toThrow(
      `Get "http://${address}/v1/kv/foo": dial tcp ${address}: connect: connection refused`,
    );
  });

  it('ends when the caller says so', async () => {
    const caller = new AbortController();
    await start(() => caller.abort());
    await expect(client.kv.get('foo', { index: 1, signal: caller.signal })).rejects.toMatchObject({ kind: 'cancelled' });
  });
});
