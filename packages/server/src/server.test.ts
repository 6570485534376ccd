import { afterEach, describe, expect, it } from 'vitest';
import { createTestServer, type TestServer } from './testing/index.ts';

const servers: TestServer[] = [];

async function start(): Promise<TestServer> {
  const server = await createTestServer();
  servers.push(server);
  return server;
}

afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

function put(server: TestServer, key: string, text: string): Promise<{ readonly index: number; readonly value: boolean }> {
  const entry = { Key: key, Value: Buffer.from(text), Flags: 0, Session: '', ModifyIndex: 0 };
  return server.port.call('KVS.Apply', { operation: 'set', entry });
}

describe('a server in memory', () => {
  it('answers a read with what was written, and with its index', async () => {
    const server = await start();
    const { index, value } = await put(server, 'a', '1');
    expect(value).toBe(true);
    const reply = await server.port.call('KVS.Get', { key: 'a' });
    expect(reply.meta).toEqual({ index, knownLeader: true, lastContactMs: 0, consistency: 'default', resultsFilteredByAcls: false });
    expect(Buffer.from(reply.value?.Value ?? []).toString()).toBe('1');
  });

  it('never answers with index 0', async () => {
    const server = await start();
    const reply = await server.port.call('KVS.Get', { key: 'none' });
    expect(reply).toMatchObject({ value: null, meta: { index: 1 } });
  });

  it('refuses another datacenter in Consul’s words', async () => {
    const server = await start();
    await expect(server.port.call('KVS.Get', { key: 'a' }, { datacenter: 'nope' })).rejects.toMatchObject({
      code: 'no-path-to-datacenter',
      message: 'No path to datacenter',
    });
  });

  it('blocks until the key changes, not when another one does', async () => {
    const server = await start();
    const { index } = await put(server, 'a', '1');
    let answered = false;
    const blocked = server.port.call('KVS.Get', { key: 'a' }, { query: { minIndex: index } }).then((reply) => {
      answered = true;
      return reply;
    });
    await put(server, 'b', '1');
    await server.clock.advance(0);
    expect(answered).toBe(false);
    const write = await put(server, 'a', '2');
    expect((await blocked).meta.index).toBe(write.index);
  });
});
