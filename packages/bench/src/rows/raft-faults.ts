import { loadHttp, requestBytes } from '../load/http-load.ts';
import { sendAll } from '../load/send-all.ts';
import { median, type Row } from '../row.ts';
import { type BenchCluster, type BenchServer, until, withCluster } from '../targets/cluster.ts';

const KILLS = 5;
const BEHIND_ENTRIES = 200_000;
const GOING_ON_CONNECTIONS = 8;
const RETRY_MS = 50;
const VALUE = 'x'.repeat(100);

/** Three servers when one fails. */
export const raftFaultRows: readonly Row[] = [
  {
    name: 'raft kill -9 of the leader to next acknowledged write',
    unit: 'ms',
    better: 'less',
    goal: { atMost: 1500 },
    measure: (target) => withCluster(target, failoverMs),
  },
  {
    name: `raft catch-up of a follower ${BEHIND_ENTRIES.toLocaleString('en')} entries behind`,
    unit: 'ms',
    better: 'less',
    goal: { atMost: 10_000 },
    measure: (target) => withCluster(target, catchUpMs),
  },
];

/** The median of five: writers try both survivors all the time. */
async function failoverMs(cluster: BenchCluster): Promise<number> {
  const timings: number[] = [];
  for (let kill = 0; kill < KILLS; kill++) {
    const leader = await cluster.ready();
    const survivors = cluster.servers.filter((server) => server !== leader);
    const killedMs = performance.now();
    await leader.kill();
    await Promise.any(survivors.map((server) => firstWrite(server, `/v1/kv/bench/after/${kill}`)));
    timings.push(performance.now() - killedMs);
    leader.start();
    await cluster.ready();
  }
  return median(timings);
}

/** A new try now and then, whether or not the earlier ones have been answered: servers hold writes while there is no leader. */
async function firstWrite(server: BenchServer, path: string): Promise<void> {
  const written = Promise.withResolvers<void>();
  const attempt = async (): Promise<void> => {
    if (await server.put(path, VALUE, 10_000)) written.resolve();
  };
  const timer = setInterval(() => void attempt(), RETRY_MS);
  await written.promise;
  clearInterval(timer);
}

/** From its start to its own state having all that was written while it was away, with writes going on meanwhile. */
async function catchUpMs(cluster: BenchCluster): Promise<number> {
  const follower = await cluster.follower();
  await follower.kill();
  const { port } = await cluster.ready();
  const load = { host: '127.0.0.1', port, request: (sequence: number) => requestBytes('PUT', `/v1/kv/bench/${sequence % 10_000}`, VALUE) };
  await sendAll({ ...load, connections: 256 }, BEHIND_ENTRIES);
  const leader = await cluster.ready();
  await leader.put('/v1/kv/bench/marker', VALUE);
  const goesOn = loadHttp({ ...load, connections: GOING_ON_CONNECTIONS, durationMs: 15_000 });
  const startedMs = performance.now();
  follower.start();
  await until('the marker', () => follower.get('/v1/kv/bench/marker?stale'));
  const elapsedMs = performance.now() - startedMs;
  await goesOn;
  return elapsedMs;
}
