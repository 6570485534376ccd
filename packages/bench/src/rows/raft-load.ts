import { loadHttp, requestBytes } from '../load/http-load.ts';
import type { Row } from '../row.ts';
import { type BenchCluster, type BenchServer, withCluster } from '../targets/cluster.ts';

const WARM_UP_MS = 2000;
const DURATION_MS = 4000;
const VALUE = 'x'.repeat(100);
const KEYS = 1000;

const writes = Array.from({ length: KEYS }, (_, key) => requestBytes('PUT', `/v1/kv/bench/${key}`, VALUE));

/** Three servers with synced disks: requests a second, all from one client process on the same machine. */
export const raftLoadRows: readonly Row[] = [
  loadRow('raft PUT via leader, 32 connections', 1.5, 'leader', 32, put),
  loadRow('raft PUT via leader, 256 connections', 3, 'leader', 256, put),
  loadRow('raft PUT via follower, 32 connections', 1.5, 'follower', 32, put),
  loadRow('raft GET default via leader', 1, 'leader', 32, get('')),
  loadRow('raft GET consistent via leader', 1, 'leader', 32, get('?consistent')),
  loadRow('raft GET stale via leader', 1, 'leader', 32, get('?stale')),
  loadRow('raft GET default via follower', 1, 'follower', 32, get('')),
  {
    name: 'raft loop delay p99 of the leader under PUT, 256 connections',
    unit: 'ms',
    better: 'less',
    goal: { atMost: 50 },
    only: 'lictor',
    measure: (target) => withCluster(target, loopDelayMs),
  },
];

function loadRow(name: string, ratio: number, via: 'leader' | 'follower', connections: number, request: (sequence: number) => Buffer): Row {
  return {
    name,
    unit: 'req/s',
    better: 'more',
    goal: { ratio },
    measure: (target) =>
      withCluster(target, async (cluster) => {
        const server = via === 'leader' ? await cluster.ready() : await cluster.follower();
        await server.put('/v1/kv/bench/key', VALUE);
        return measureLoad(cluster, server, connections, request);
      }),
  };
}

async function measureLoad(
  { target }: BenchCluster,
  { port }: BenchServer,
  connections: number,
  request: (sequence: number) => Buffer,
): Promise<number> {
  const load = { host: '127.0.0.1', port, connections, request };
  await loadHttp({ ...load, durationMs: WARM_UP_MS });
  const { requestsPerSecond, errors } = await loadHttp({ ...load, durationMs: DURATION_MS });
  if (errors > 0) throw new Error(`${errors} errors from ${target.name}`);
  return requestsPerSecond;
}

const METRICS_INTERVAL_MS = 10_000;

/** As the agent reports it, for a whole interval under load. */
async function loopDelayMs(cluster: BenchCluster): Promise<number> {
  const leader = await cluster.ready();
  const load = { host: '127.0.0.1', port: leader.port, connections: 256, request: put };
  await loadHttp({ ...load, durationMs: 2.2 * METRICS_INTERVAL_MS });
  const text = (await leader.get('/v1/agent/metrics')) ?? '{"Gauges":[]}';
  const { Gauges } = JSON.parse(text) as { Gauges: { Name: string; Value: number }[] };
  return Gauges.find(({ Name }) => Name.endsWith('runtime.event_loop_delay.p99'))?.Value ?? Number.NaN;
}

function put(sequence: number): Buffer {
  return writes[sequence % KEYS] ?? Buffer.alloc(0);
}

function get(query: string): () => Buffer {
  const request = requestBytes('GET', `/v1/kv/bench/key${query}`);
  return () => request;
}
