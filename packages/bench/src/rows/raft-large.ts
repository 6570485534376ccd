import { requestBytes } from '../load/http-load.ts';
import { sendAll } from '../load/send-all.ts';
import type { Row } from '../row.ts';
import { type BenchCluster, type BenchServer, until, withCluster } from '../targets/cluster.ts';

const KEYS = 100_000;
const VALUE = 'x'.repeat(100);
const LIST = '/v1/kv/bench/list/?recurse';
const ANSWER_MS = 30_000;
const LISTS = 5;

/** Large answers: what they cost everybody else. */
export const raftLargeRows: readonly Row[] = [
  {
    name: `raft GET of ${KEYS.toLocaleString('en')} keys via follower`,
    unit: 'ms',
    better: 'less',
    goal: { ratio: 1 },
    measure: (target) => withCluster(target, listMs),
  },
  {
    name: `raft longest loop delay of leader and follower, GET of ${KEYS.toLocaleString('en')} keys via follower`,
    unit: 'ms',
    better: 'less',
    goal: { atMost: 50 },
    only: 'lictor',
    measure: (target) => withCluster(target, loopDelayMs),
  },
];

async function listMs(cluster: BenchCluster): Promise<number> {
  const follower = await fill(cluster);
  const startedMs = performance.now();
  for (let count = 0; count < LISTS; count++) await list(follower);
  return (performance.now() - startedMs) / LISTS;
}

async function loopDelayMs(cluster: BenchCluster): Promise<number> {
  const follower = await fill(cluster);
  const leader = await cluster.ready();
  await Promise.all([newReport(leader), newReport(follower)]);
  for (let count = 0; count < LISTS; count++) await list(follower);
  const reports = await Promise.all([newReport(leader), newReport(follower)]);
  return Math.max(...reports.map(({ Gauges }) => Gauges.find(({ Name }) => Name.endsWith('event_loop_delay.max'))?.Value ?? Number.NaN));
}

async function fill(cluster: BenchCluster): Promise<BenchServer> {
  const { port } = await cluster.ready();
  const request = (key: number): Buffer => requestBytes('PUT', `/v1/kv/bench/list/${key}`, VALUE);
  await sendAll({ host: '127.0.0.1', port, connections: 64, request }, KEYS);
  const follower = await cluster.follower();
  await list(follower);
  return follower;
}

async function list(server: BenchServer): Promise<void> {
  if ((await server.get(LIST, ANSWER_MS)) === undefined) throw new Error('no list');
}

interface Report {
  readonly Gauges: readonly { readonly Name: string; readonly Value: number }[];
}

/** The next that the agent makes, which it does every ten seconds: about the time since the one before. */
async function newReport(server: BenchServer): Promise<Report> {
  const read = (): Promise<string | undefined> => server.get('/v1/agent/metrics');
  const delaysOf = (text: string | undefined): string =>
    JSON.stringify(gaugesOf(text).filter(({ Name }) => Name.includes('event_loop_delay')));
  const before = delaysOf(await read());
  const text = await until('a new report', async () => {
    const now = await read();
    return now !== undefined && delaysOf(now) !== before ? now : undefined;
  });
  return { Gauges: gaugesOf(text) };
}

function gaugesOf(text: string | undefined): Report['Gauges'] {
  return (JSON.parse(text ?? '{"Gauges":[]}') as Report).Gauges;
}
