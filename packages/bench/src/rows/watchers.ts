import { openHttp, requestBytes } from '../load/http-load.ts';
import { median } from '../row.ts';
import type { DevAgent } from '../targets/target.ts';

/** As many requests as the warm-up of the other HTTP rows makes. */
const WARM_UP_CHANGES = 8;
const CHANGES = 7;
/** Time for all queries to block again before the next change. */
const SETTLE_MS = 1500;

/** From the write of a change to the arrival of the last of `count` blocked queries' answers, ms; the median of several changes. */
export async function watchersWoken(agent: DevAgent, count: number): Promise<number> {
  // Real Consul allows 200 connections from one address by default; loopback has many addresses.
  const addressOf = (position: number): string => `127.0.${1 + Math.floor(position / 150)}.1`;
  let woken = 0;
  let onAllWoken: (atMs: number) => void = () => undefined;
  const onStatus = (): void => {
    if (++woken === count) onAllWoken(performance.now());
  };
  const sockets = await Promise.all(
    Array.from({ length: count }, (_, position) =>
      openHttp({ host: '127.0.0.1', port: agent.port, localAddress: addressOf(position) }, onStatus),
    ),
  );
  const timings: number[] = [];
  for (let change = 0; change < WARM_UP_CHANGES + CHANGES; change++) {
    const response = await agent.api('GET', '/v1/health/service/bench');
    const index = response.headers.get('x-consul-index') ?? '1';
    await response.text();
    woken = 0;
    const allWoken = new Promise<number>((done) => (onAllWoken = done));
    const request = requestBytes('GET', `/v1/health/service/bench?index=${index}&wait=60s`);
    for (const socket of sockets) socket.write(request);
    await new Promise((wake) => setTimeout(wake, SETTLE_MS));
    if (woken > 0) throw new Error(`${woken} watchers woke before the change`);
    const startedMs = performance.now();
    await agent.api('PUT', '/v1/catalog/register', {
      Node: 'node-0',
      Address: '127.1.0.0',
      Service: { ID: 'bench-0', Service: 'bench', Port: 8001, Tags: [`changed-${startedMs}`] },
    });
    const tookMs = (await allWoken) - startedMs;
    if (change >= WARM_UP_CHANGES) timings.push(tookMs);
  }
  for (const socket of sockets) socket.destroy();
  return median(timings);
}
