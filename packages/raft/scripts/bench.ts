// Proposals a second and their latency, servers in one process: `npm run bench -- [--nodes 3] [--storage disk|memory] [--seconds 4]`.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { silentLogger, silentMetrics } from '@lictor/protocol';
import { systemClock, systemRandom } from '@lictor/protocol/system';
import { EMPTY_MEMBERSHIP } from '../src/core/membership.ts';
import { DEFAULT_LIMITS } from '../src/core/options.ts';
import { RaftNode } from '../src/driver/node.ts';
import { DEFAULT_NODE_LIMITS } from '../src/driver/options.ts';
import type { LogStore, SnapshotStore, StateMachine } from '../src/driver/ports.ts';
import { MemoryNetwork } from '../src/driver/testing/memory-network.ts';
import { levelDisk } from '../src/storage/level-disk.ts';
import { DiskLogStore } from '../src/storage/log-store.ts';
import { MemoryLogStore } from '../src/storage/memory-log-store.ts';
import { MemorySnapshotStore } from '../src/storage/memory-snapshot-store.ts';
import { FileSnapshotStore } from '../src/storage/snapshot-store.ts';
import { systemFiles } from '../src/storage/system-files.ts';

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '3' },
    storage: { type: 'string', default: 'disk' },
    seconds: { type: 'string', default: '4' },
  },
});
const runMs = Number(values.seconds) * 1000;
const ids = Array.from({ length: Number(values.nodes) }, (_, position) => `n${position}`);
const payload = Buffer.alloc(200, 'x');
const folder = await mkdtemp(join(tmpdir(), 'lictor-bench-'));
const network = new MemoryNetwork();

const nodes: RaftNode[] = [];
for (const id of ids) nodes.push(await startNode(id));
// The clock's timers alone do not keep the process alive.
const keepAlive = setInterval(() => undefined, 1000);
const leader = await leaderOf(nodes);
for (const inFlight of [1, 32, 256]) await measure(leader, inFlight);
measureReads(leader);
for (const node of nodes) await node.stop();
clearInterval(keepAlive);
await rm(folder, { recursive: true, force: true });

async function startNode(id: string): Promise<RaftNode> {
  const { log, snapshots } = storesOf(id);
  await RaftNode.bootstrap(log, { ...EMPTY_MEMBERSHIP, voters: ids });
  const node = new RaftNode(
    { id, heartbeatMs: 100, electionTimeoutMs: 1000, leaseMs: 500, ...DEFAULT_LIMITS, ...DEFAULT_NODE_LIMITS },
    {
      log,
      snapshots,
      transport: network.transportOf(id),
      machine: counter(),
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
      metrics: silentMetrics,
      onFailure: (error) => process.stderr.write(`${error.stack ?? error.message}\n`),
    },
  );
  await node.start();
  return node;
}

function storesOf(id: string): { readonly log: LogStore; readonly snapshots: SnapshotStore } {
  if (values.storage === 'memory') return { log: new MemoryLogStore(), snapshots: new MemorySnapshotStore() };
  const snapshots = new FileSnapshotStore(systemFiles(join(folder, id, 'snapshots')), silentLogger);
  return { log: new DiskLogStore(levelDisk(join(folder, id, 'log'))), snapshots };
}

function counter(): StateMachine {
  return {
    apply: (entries) => entries.map(({ index }) => index),
    snapshot: async function* () {
      await Promise.resolve();
      yield payload;
    },
    restore: () => Promise.resolve(),
  };
}

async function leaderOf(all: readonly RaftNode[]): Promise<RaftNode> {
  for (let tries = 0; tries < 200; tries++) {
    const found = all.find((node) => node.status().role === 'leader');
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('no leader');
}

async function measure(to: RaftNode, inFlight: number): Promise<void> {
  const endMs = performance.now() + runMs;
  const latencies: number[] = [];
  const client = async (): Promise<void> => {
    for (let startMs = performance.now(); startMs < endMs; startMs = performance.now()) {
      await to.propose(payload);
      latencies.push(performance.now() - startMs);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, client));
  latencies.sort((a, b) => a - b);
  const at = (share: number): string => ((latencies[Math.floor(latencies.length * share)] ?? 0) * 1000).toFixed(0);
  const rate = Math.round((latencies.length * 1000) / runMs);
  process.stdout.write(`${inFlight} in flight: ${rate} proposals/s, p50 ${at(0.5)} us, p99 ${at(0.99)} us\n`);
}

function measureReads(from: RaftNode): void {
  if (!('canAnswerReads' in from)) return;
  const count = 5_000_000;
  const startMs = performance.now();
  let yes = 0;
  for (let turn = 0; turn < count; turn++) if (from.canAnswerReads()) yes++;
  const tookMs = performance.now() - startMs;
  process.stdout.write(`canAnswerReads: ${Math.round(count / tookMs / 1000)} M/s, ${Math.round((100 * yes) / count)} % yes\n`);
}
