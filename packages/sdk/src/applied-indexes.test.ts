import { afterEach, describe, expect, it } from 'vitest';
import { type ClientConfig, createClient, type LictorClient } from './client.ts';
import { json, startServer, type TestServer } from './testing/http-server.ts';

const HEADER = 'x-lictor-applied-index';
let server: TestServer;
let client: LictorClient;
let replies: string[];

async function start(config: ClientConfig): Promise<void> {
  replies = [];
  server = await startServer((_request, response) => {
    const index = replies.shift();
    json(response, [], index === undefined ? {} : { [HEADER]: index });
  });
  client = createClient({ address: server.address, ...config });
}

afterEach(async () => {
  await client.close();
  await server.close();
});

const asked = (): (string | undefined)[] => server.requests.map(({ headers }) => headers[HEADER] as string | undefined);

describe('readYourWrites', () => {
  it('asks for the highest index that a write has come back with', async () => {
    await start({ readYourWrites: true });
    await client.kv.get('a');
    replies = ['7', '5', 'junk', '-9'];
    for (const value of ['1', '2', '3', '4']) await client.kv.put('a', value);
    await client.kv.get('a', { consistency: 'stale' });
    expect(asked().at(0)).toBeUndefined();
    expect(asked().at(-1)).toBe('7');
  });

  it('keeps datacenters apart, whose logs count for themselves', async () => {
    await start({ readYourWrites: true, datacenter: 'dc1' });
    replies = ['9', '4'];
    await client.kv.put('a', '');
    await client.kv.put('a', '', { datacenter: 'dc2' });
    await client.kv.get('a', { datacenter: 'dc2' });
    await client.kv.get('a', { datacenter: 'dc1' });
    await client.kv.get('a', { datacenter: 'dc3' });
    expect(asked().slice(2)).toEqual(['4', '9', undefined]);
  });

  it('gives way to what a call says itself', async () => {
    await start({ readYourWrites: true });
    replies = ['9'];
    await client.kv.put('a', '');
    await client.kv.get('a', { appliedIndex: 3 });
    await client.kv.get('a', { appliedIndex: 0 });
    expect(asked().slice(1)).toEqual(['3', undefined]);
  });

  it('is off unless it is asked for', async () => {
    await start({});
    replies = ['9'];
    await client.kv.put('a', '');
    await client.kv.get('a');
    await client.kv.get('a', { appliedIndex: 3 });
    expect(asked()).toEqual([undefined, undefined, '3']);
  });
});
