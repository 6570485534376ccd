import { LictorError } from '@lictor/protocol';
import { FakeClock, MemoryLogger } from '@lictor/protocol/testing';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createServerConfig, type NetworkConfig } from '../config.ts';
import { createFaultyStorage, noSpace, type StorageFaults } from '../testing/faulty-storage.ts';
import { createTestServer, type TestServer } from '../testing/index.ts';
import { ServerDiscovery } from './discovery.ts';
import type { Greeting } from './member-table.ts';
import type { ClusterNetwork } from './network.ts';
import { selfRecord } from './self.ts';
import { noTransport } from './transport.ts';

const NETWORK: NetworkConfig = {
  rpcHost: '',
  rpcPort: 0,
  bootstrapExpect: 1,
  tls: null,
};
const ID = '00000000-0000-0000-0000-000000000001';

let dataDir: string;
let server: TestServer | undefined;
let discovery: ServerDiscovery;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'lictor-failed-disk-'));
});
afterEach(async () => {
  await stop();
  await rm(dataDir, { recursive: true });
});

/** A server that waits for one, itself, and so makes a cluster once it runs; nobody else is there. */
async function start(faults: StorageFaults): Promise<TestServer> {
  const config = createServerConfig({ dataDir, nodeId: ID, isBootstrap: false, network: NETWORK, connectEnabled: false });
  const clock = new FakeClock();
  const logger = new MemoryLogger();
  const nobody = () => Promise.reject(new LictorError('unavailable', 'nobody is there'));
  const candidates = { addresses: () => [], onChange: () => () => undefined };
  discovery = new ServerDiscovery(selfRecord(config, clock), { clock, logger, candidates, transport: { greet: nobody } });
  const network: ClusterNetwork = {
    discovery,
    remote: { call: nobody },
    wide: () => ({ call: nobody }),
    createTransport: () => noTransport,
    serve: () => undefined,
    listen: () => Promise.resolve(),
    reloadTls: () => undefined,
    drain: () => Promise.resolve(),
    stop: () => Promise.resolve(discovery.stop()),
  };
  const started = await createTestServer(config, { clock, logger, network, storage: createFaultyStorage(dataDir, faults) });
  server = { ...started, clock, logger };
  return server;
}

async function stop(): Promise<void> {
  await server?.stop();
  server = undefined;
}

/** Real files take real time. */
async function until(running: TestServer, condition: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 20_000;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error(`not in time: ${condition.toString()}`);
    await running.clock.advance(250);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function failures({ logger }: TestServer): number {
  return logger.lines.filter(({ message }) => message.startsWith('the log has failed')).length;
}

function greeting(): Greeting {
  const config = createServerConfig({ nodeId: 'other', nodeName: 'other' });
  return { from: selfRecord(config, new FakeClock()), known: [], alive: ['other'] };
}

describe('a server whose disk fails when its cluster is made', () => {
  it.each<readonly [string, StorageFaults]>([
    ['the log', { write: { error: noSpace(), isWritten: false } }],
    ['the log, after it was written', { write: { error: noSpace(), isWritten: true } }],
    ['the file that names the cluster', { file: noSpace() }],
  ])('takes no part, says so once, and makes it after its next start: %s', async (_what, faults) => {
    const failed = await start(faults);
    await until(failed, () => failures(failed) > 0);
    delete faults.write;
    delete faults.file;
    await failed.clock.advance(60_000);
    for (let turn = 0; turn < 100; turn++) await nextTurn();
    expect(failures(failed)).toBe(1);
    expect(failed.consensus.leaderId).toBe('');
    expect(failed.consensus.stats().term).toBe(0);
    expect(() => discovery.answer(greeting())).toThrow('the log of this server has failed: it takes no part until it is restarted');
    await stop();
    const again = await start({});
    await until(again, () => again.consensus.isLeader);
    expect(() => discovery.answer(greeting())).not.toThrow();
  });
});
