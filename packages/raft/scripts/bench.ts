import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, silentMetrics } from '@lictor/protocol';
import { systemClock, systemRandom } from '@lictor/protocol/system';
import { EMPTY_MEMBERSHIP } from '../src/core/membership.ts';
import { DEFAULT_LIMITS } from '../src/core/options.ts';
import { levelDisk } from '../src/storage/level-disk.ts';
import { DiskLogStore } from '../src/storage/log-store.ts';
import { FileSnapshotStore } from '../src/storage/snapshot-store.ts';
import { systemFiles } from '../src/storage/system-files.ts';
import { RaftNode } from '../src/driver/node.ts';
import { DEFAULT_NODE_LIMITS } from '../src/driver/options.ts';
import { MemoryNetwork } from '../src/driver/testing/memory-network.ts';

/** `node --conditions=lictor-source bench.ts`: proposals a second, three servers in one process, each with LevelDB on a real disk. */
const IDS = ['a', 'b', 'c'];
const RUN_MS = 4000;
const PAYLOAD = Buffer.alloc(200, 'x');

const folder = await mkdtemp(join(tmpdir(), 'lictor-bench-'));
const network = new MemoryNetwork();
const nodes: RaftNode[] = [];
for (const id of IDS) {
  const log = new DiskLogStore(levelDisk(join(folder, id, 'log')));
  await RaftNode.bootstrap(log, { ...EMPTY_MEMBERSHIP, voters: IDS });
  const node = new RaftNode(
    { id, heartbeatMs: 100, electionTimeoutMs: 1000, leaseMs: 500, ...DEFAULT_LIMITS, ...DEFAULT_NODE_LIMITS },
    {
      log,
      snapshots: new FileSnapshotStore(systemFiles(join(folder, id, 'snapshots')), silentLogger),
      transport: network.transportOf(id),
      machine: {
        apply: (entries) => entries.map(({ index }) => index),
        snapshot: async function* () {
          await Promise.resolve();
          yield PAYLOAD;
        },
        restore: () => Promise.resolve(),
      },
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
      metrics: silentMetrics,
      onFailure: (error) => process.stderr.write(`${error.stack ?? error.message}\n`),
    },
  );
  await node.start();
  nodes.push(node);
}
const keepAlive = setInterval(() => undefined, 1000);
let leader = nodes.find((node) => node.status().role === 'leader');
for (let tries = 0; leader === undefined && tries < 200; tries++) {
  await new Promise((resolve) => setTimeout(resolve, 50));
  leader = nodes.find((node) => node.status().role === 'leader');
}
if (leader === undefined) throw new Error('no leader');
for (const inFlight of [1, 32, 256]) {
  const endMs = performance.now() + RUN_MS;
  let done = 0;
  const client = async (to: RaftNode): Promise<void> => {
    while (performance.now() < endMs) {
      await to.propose(PAYLOAD);
      done++;
    }
  };
  const to = leader;
  await Promise.all(Array.from({ length: inFlight }, () => client(to)));
  process.stdout.write(`${inFlight} in flight: ${Math.round((done * 1000) / RUN_MS)} proposals/s\n`);
}
for (const node of nodes) await node.stop();
clearInterval(keepAlive);
await rm(folder, { recursive: true, force: true });
