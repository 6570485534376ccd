import { requestBytes } from '../load/http-load.ts';
import { sendAll } from '../load/send-all.ts';
import type { Row } from '../row.ts';
import { type BenchCluster, until, withCluster } from '../targets/cluster.ts';

const STATE_BYTES = 2 ** 30;
const VALUE_BYTES = 50_000;
const VALUES = Math.ceil(STATE_BYTES / VALUE_BYTES);
const WAIT_MS = 300_000;

/** A whole cluster killed and started with 1 GB of values. Takes minutes, so only when asked for by name (`--only=1 GB`). */
export const raftRestartRows: readonly Row[] = [
  {
    name: 'raft restart with a state of 1 GB: to a value read',
    unit: 'ms',
    better: 'less',
    goal: { atMost: 60_000 },
    measure: (target) => withCluster(target, async (cluster) => (await restart(cluster)).elapsedMs),
  },
  {
    name: 'raft restart with a state of 1 GB: memory of a server',
    unit: 'MiB',
    better: 'less',
    goal: { atMost: 4096 },
    measure: (target) => withCluster(target, async (cluster) => (await restart(cluster)).rssMib),
  },
];

async function restart(cluster: BenchCluster): Promise<{ readonly elapsedMs: number; readonly rssMib: number }> {
  const { port } = await cluster.ready();
  const value = 'x'.repeat(VALUE_BYTES);
  await sendAll({ host: '127.0.0.1', port, connections: 16, request: (key) => requestBytes('PUT', `/v1/kv/big/${key}`, value) }, VALUES);
  const [server] = cluster.servers;
  if (server === undefined) throw new Error('there is one');
  const last = `/v1/kv/big/${VALUES - 1}?stale`;
  await until('the last value everywhere', () => server.get(last), WAIT_MS);
  await Promise.all(cluster.servers.map((one) => one.kill()));
  const startedMs = performance.now();
  for (const one of cluster.servers) one.start();
  await until('the last value again', () => server.get(last), WAIT_MS);
  return { elapsedMs: performance.now() - startedMs, rssMib: server.rssMib() };
}
