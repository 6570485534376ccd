import type { Socket } from 'node:net';
import { openHttp, requestBytes } from '../load/http-load.ts';
import { median, type Row } from '../row.ts';
import { BenchPair, type BenchServer, until } from '../targets/cluster.ts';
import type { Target } from '../targets/target.ts';

const WATCHERS = 2000;
const WARM_UP_CHANGES = 3;
const CHANGES = 7;
/** Time for all queries to block again before the next change. */
const SETTLE_MS = 1500;
const PATH = '/v1/health/service/watched?cached';
/** The server counts its queries. */
const TELEMETRY = 'telemetry { prometheus_retention_time = "600s" disable_hostname = true }';

interface Measured {
  /** From the write of a change to the answer of the last watcher; the median. */
  readonly lastMs: number;
  /** That the server got for a change. */
  readonly queries: number;
  /** Of the client's resident memory, for a watcher and its connection. */
  readonly kibEach: number;
}

/** Programs of one node that all watch one service: the agent asks the servers once for all of them. */
export const clientWatcherRows: readonly Row[] = [
  row('the last is answered after', 'ms', { ratio: 1 }, ({ lastMs }) => lastMs),
  row('queries that the servers get for a change', 'queries', { atMost: 1 }, ({ queries }) => queries),
  row('memory of each on the client', 'KiB', { ratio: 1 }, ({ kibEach }) => kibEach),
];

function row(what: string, unit: string, goal: Row['goal'], pick: (measured: Measured) => number): Row {
  const name = `client agent watchers: ${WATCHERS.toLocaleString('en')} blocking ?cached queries, ${what}`;
  return { name, unit, better: 'less', goal, measure: async (target) => pick(await measure(target)) };
}

async function measure(target: Target): Promise<Measured> {
  const pair = await BenchPair.start(target, TELEMETRY);
  try {
    return await watch(pair);
  } finally {
    await pair.stop();
  }
}

async function watch({ client, server }: BenchPair): Promise<Measured> {
  await change(server);
  await until('the service is in the cache', async () => ((await client.get(PATH))?.includes('watched') ? true : undefined));
  const watchers = new Watchers(client.port);
  const beforeMib = client.rssMib();
  await watchers.open();
  const timings: number[] = [];
  const queries: number[] = [];
  let kibEach = 0;
  for (let round = 0; round < WARM_UP_CHANGES + CHANGES; round++) {
    await watchers.block(await indexOf(client));
    // The growth of heap and buffers through answers is a matter of the rate of changes; this is what it takes to wait.
    if (round === 0) kibEach = ((client.rssMib() - beforeMib) * 1024) / WATCHERS;
    const queriesBefore = await queriesOf(server);
    const answered = watchers.answered();
    const startedMs = performance.now();
    await change(server);
    const tookMs = (await answered) - startedMs;
    await new Promise((wake) => setTimeout(wake, SETTLE_MS));
    if (round < WARM_UP_CHANGES) continue;
    timings.push(tookMs);
    queries.push((await queriesOf(server)) - queriesBefore);
  }
  watchers.close();
  return { lastMs: median(timings), queries: median(queries), kibEach };
}

/** Connections, each with one query at a time. */
class Watchers {
  readonly #port: number;
  #sockets: readonly Socket[] = [];
  #answers = 0;
  #onAllAnswered: (atMs: number) => void = () => undefined;

  constructor(port: number) {
    this.#port = port;
  }

  async open(): Promise<void> {
    const onStatus = (status: number): void => {
      if (status !== 200) throw new Error(`a watcher was answered ${status}`);
      if (++this.#answers === WATCHERS) this.#onAllAnswered(performance.now());
    };
    const target = { host: '127.0.0.1', port: this.#port };
    this.#sockets = await Promise.all(Array.from({ length: WATCHERS }, () => openHttp(target, onStatus)));
  }

  /** Resolves when all wait for what comes after `index`. */
  async block(index: string): Promise<void> {
    this.#answers = 0;
    const request = requestBytes('GET', `${PATH}&index=${index}&wait=60s`);
    for (const socket of this.#sockets) socket.write(request);
    await new Promise((wake) => setTimeout(wake, SETTLE_MS));
    if (this.#answers > 0) throw new Error(`${this.#answers} watchers were answered before the change`);
  }

  /** When the last of those that wait has its answer. */
  answered(): Promise<number> {
    return new Promise((resolve) => (this.#onAllAnswered = resolve));
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

async function indexOf(client: BenchServer): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${client.port}${PATH}`);
  await response.arrayBuffer();
  return response.headers.get('x-consul-index') ?? '1';
}

let changes = 0;

async function change(server: BenchServer): Promise<void> {
  const Service = { ID: 'watched-1', Service: 'watched', Port: 8000, Tags: [`change-${++changes}`] };
  const body = JSON.stringify({ Node: 'watched-node', Address: '127.0.0.1', Service });
  if (!(await server.put('/v1/catalog/register', body, 10_000))) throw new Error('not registered');
}

/** Since the server began. */
async function queriesOf(server: BenchServer): Promise<number> {
  const text = (await server.get('/v1/agent/metrics?format=prometheus')) ?? '';
  const count = /^consul_rpc_query (\S+)$/m.exec(text)?.[1];
  if (count === undefined) throw new Error('the server does not count its queries');
  return Number(count);
}
