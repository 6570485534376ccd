import { loadHttp, requestBytes } from '../load/http-load.ts';
import type { Row } from '../row.ts';
import { BenchPair } from '../targets/cluster.ts';
import type { Target } from '../targets/target.ts';

const CONNECTIONS = 32;
const LOAD_MS = 4000;
const INSTANCES = 10;
const IDLE_MS = 20_000;
const LOOK_EVERY_MS = 20;
const DETECTION_MS = 60_000;

/** What a client agent does beside its servers. */
export const clientRows: readonly Row[] = [
  {
    name: 'client agent: cached health of a service with 10 instances, 32 connections',
    unit: 'req/s',
    better: 'more',
    goal: { ratio: 2 },
    measure: (target) =>
      withPair(target, async ({ client }) => {
        for (let instance = 0; instance < INSTANCES; instance++) {
          const body = JSON.stringify({ ID: `web-${instance}`, Name: 'web', Port: 8000 + instance });
          const path = `http://127.0.0.1:${client.port}/v1/agent/service/register`;
          if (!(await fetch(path, { method: 'PUT', body })).ok) throw new Error('not registered');
        }
        await known(client.port, INSTANCES);
        const request = (): Buffer => requestBytes('GET', '/v1/health/service/web?cached');
        await loadHttp({ host: '127.0.0.1', port: client.port, connections: CONNECTIONS, durationMs: 1000, request });
        const { requestsPerSecond, errors } = await loadHttp({
          host: '127.0.0.1',
          port: client.port,
          connections: CONNECTIONS,
          durationMs: LOAD_MS,
          request,
        });
        if (errors > 0) throw new Error(`${errors} errors`);
        return requestsPerSecond;
      }),
  },
  {
    name: 'client agent: kill -9 until its node is critical in the catalog',
    unit: 's',
    better: 'less',
    goal: { ratio: 1 },
    measure: (target) =>
      withPair(target, async (pair) => {
        await pair.client.kill();
        const startMs = performance.now();
        while ((await pair.health()) !== 'critical') {
          if (performance.now() - startMs > DETECTION_MS) throw new Error('never noticed');
          await new Promise((wake) => setTimeout(wake, LOOK_EVERY_MS));
        }
        return (performance.now() - startMs) / 1000;
      }),
  },
  {
    name: 'client agent: memory, idle for 20 s',
    unit: 'MiB',
    better: 'less',
    goal: { atMost: 90 },
    measure: (target) =>
      withPair(target, async ({ client }) => {
        await new Promise((wake) => setTimeout(wake, IDLE_MS));
        return client.rssMib();
      }),
  },
];

async function withPair(target: Target, measure: (pair: BenchPair) => Promise<number>): Promise<number> {
  const pair = await BenchPair.start(target);
  try {
    return await measure(pair);
  } finally {
    await pair.stop();
  }
}

/** Until the cache shows all instances. */
async function known(port: number, count: number): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt++) {
    const found = (await (await fetch(`http://127.0.0.1:${port}/v1/health/service/web?cached`)).json()) as unknown[];
    if (found.length === count) return;
    await new Promise((wake) => setTimeout(wake, LOOK_EVERY_MS));
  }
  throw new Error('the instances are not in the cache');
}
