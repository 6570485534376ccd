import { chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@lictor/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestServer, type TestServer } from '../testing/index.ts';
import { inspectDataDir, planRecovery, writePeers } from './index.ts';

const ID = '00000000-0000-0000-0000-000000000001';
let dataDir: string;
let server: TestServer | undefined;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'lictor-recover-'));
});
afterEach(async () => {
  await server?.stop();
  server = undefined;
  await rm(dataDir, { recursive: true });
});

async function start(): Promise<TestServer> {
  server = await createTestServer({ dataDir, connectEnabled: false });
  return server;
}

async function stop(): Promise<void> {
  await server?.stop();
  server = undefined;
}

const put = (key: string) =>
  server?.port.call('KVS.Apply', { operation: 'set', entry: { Key: key, Value: Buffer.from('x'), Flags: 0, Session: '', ModifyIndex: 0 } });

describe('the data directory of a stopped server', () => {
  it('tells what it holds', async () => {
    const { consensus } = await start();
    await put('a');
    const { lastLogIndex, term } = consensus.stats();
    await stop();
    const survivor = await inspectDataDir(dataDir, silentLogger);
    expect(survivor).toMatchObject({
      dataDir,
      nodeId: ID,
      term,
      last: { index: lastLogIndex, term },
      snapshot: { index: 0, term: 0 },
      membership: { voters: [ID], addresses: { [ID]: '127.0.0.1:8300' } },
      hasPeersFile: false,
    });
    expect(survivor.clusterId).not.toBe('');
    expect([survivor.termAt(lastLogIndex), survivor.termAt(lastLogIndex + 1)]).toEqual([term, undefined]);
  });

  it('is as it was after somebody looked into it', async () => {
    await start();
    await put('a');
    await stop();
    await inspectDataDir(dataDir, silentLogger);
    const again = await start();
    expect((await again.port.call('KVS.Get', { key: 'a' })).value?.Key).toBe('a');
  });

  it('is refused while the server runs', async () => {
    await start();
    await expect(inspectDataDir(dataDir, silentLogger)).rejects.toThrow('is in use: stop the server first');
  });

  it('is refused when it is none, and left as it is', async () => {
    await expect(inspectDataDir(dataDir, silentLogger)).rejects.toThrow('has no raft folder');
    await expect(inspectDataDir(join(dataDir, 'none'), silentLogger)).rejects.toThrow('has no raft folder');
    await start();
    await stop();
    await writeFile(join(dataDir, 'raft', 'cluster.json'), '{');
    await expect(inspectDataDir(dataDir, silentLogger)).rejects.toThrow('cluster.json is damaged');
    await rm(join(dataDir, 'raft', 'cluster.json'));
    await expect(inspectDataDir(dataDir, silentLogger)).rejects.toThrow('belongs to no cluster');
    await writeFile(join(dataDir, 'raft', 'raft.db'), '');
    await expect(inspectDataDir(dataDir, silentLogger)).rejects.toThrow('holds a raft log of Consul');
  });

  it.runIf(process.getuid?.() === 0)('is refused to root when it is another user’s, whose server could not open it any more', async () => {
    await start();
    await stop();
    await chown(join(dataDir, 'raft'), 65_534, 65_534);
    await expect(inspectDataDir(dataDir, silentLogger)).rejects.toThrow('belongs to user 65534: run this as that user');
  });

  it('gets a peers.json that its server takes at the next start, with all that it had', async () => {
    await start();
    await put('a');
    await stop();
    const survivor = await inspectDataDir(dataDir, silentLogger);
    await writePeers(dataDir, planRecovery([survivor]).peers);
    expect(JSON.parse(await readFile(join(dataDir, 'raft', 'peers.json'), 'utf8'))).toEqual([
      { id: ID, address: '127.0.0.1:8300', non_voter: false },
    ]);
    expect((await inspectDataDir(dataDir, silentLogger)).hasPeersFile).toBe(true);
    const again = await start();
    expect((await again.port.call('KVS.Get', { key: 'a' })).value?.Key).toBe('a');
    await stop();
    const after = await inspectDataDir(dataDir, silentLogger);
    expect([after.hasPeersFile, after.clusterId === survivor.clusterId]).toEqual([false, false]);
    expect(after.snapshot.index).toBeGreaterThanOrEqual(survivor.last.index);
  });
});
