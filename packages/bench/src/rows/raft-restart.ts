import { seededRandom } from '@lictor/protocol/testing';
import { requestBytes } from '../load/http-load.ts';
import { sendAll } from '../load/send-all.ts';
import type { Row } from '../row.ts';
import { type BenchCluster, until, withCluster } from '../targets/cluster.ts';
import type { Target } from '../targets/target.ts';

const STATE_BYTES = 2 ** 30;
const VALUE_BYTES = 50_000;
const VALUES = Math.ceil(STATE_BYTES / VALUE_BYTES);
const WAIT_MS = 300_000;
const CONNECTIONS = 16;
/** While it is filled the leader may change, with what was on its way to it. */
const REPEATS = 10 * CONNECTIONS;
const DISTINCT_VALUES = 64;

interface Restart {
  readonly elapsedMs: number;
  readonly rssMib: number;
}

/** Taken for the first row, for the second to show: filling the state takes minutes. */
const taken = new Map<Target['name'], Restart[]>();

/** A whole cluster killed and started with 1 GB of values. Takes minutes, so only when asked for by name (`--only=1 GB --rounds=1`). */
export const raftRestartRows: readonly Row[] = [
  {
    name: 'raft restart with a state of 1 GB: to a value read',
    unit: 'ms',
    better: 'less',
    goal: { atMost: 60_000 },
    measure: async (target) => {
      const restarted = await withCluster(target, restart);
      taken.set(target.name, [...(taken.get(target.name) ?? []), restarted]);
      return restarted.elapsedMs;
    },
  },
  {
    name: 'raft restart with a state of 1 GB: memory of a server',
    unit: 'MiB',
    better: 'less',
    goal: { atMost: 4096 },
    measure: async (target) => {
      const { rssMib } = taken.get(target.name)?.shift() ?? (await withCluster(target, restart));
      return rssMib;
    },
  },
];

async function restart(cluster: BenchCluster): Promise<Restart> {
  const { port } = await cluster.ready();
  const values = createValues();
  const request = (key: number): Buffer => requestBytes('PUT', `/v1/kv/big/${key}`, values[key % values.length]);
  await sendAll({ host: '127.0.0.1', port, connections: CONNECTIONS, request, repeats: REPEATS }, VALUES);
  const last = `/v1/kv/big/${VALUES - 1}?stale`;
  await everywhere(cluster, last);
  await Promise.all(cluster.servers.map((one) => one.kill()));
  const startedMs = performance.now();
  for (const one of cluster.servers) one.start();
  await everywhere(cluster, last);
  return { elapsedMs: performance.now() - startedMs, rssMib: Math.max(...cluster.servers.map((one) => one.rssMib())) };
}

/** Every server shows the last value, from its own state. */
async function everywhere(cluster: BenchCluster, path: string): Promise<void> {
  await Promise.all(cluster.servers.map((server) => until('the last value', () => server.get(path), WAIT_MS)));
}

/** Texts that do not compress well: what a disk may gain by compression is not what is measured. */
function createValues(): readonly string[] {
  const random = seededRandom(1);
  return Array.from({ length: DISTINCT_VALUES }, () => Buffer.from(random.bytes((VALUE_BYTES * 3) / 4)).toString('base64'));
}
