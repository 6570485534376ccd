import { startCluster } from '../src/cluster/index.ts';

/** How long it takes until a test can begin, ms: `node --conditions=lictor-source packages/testing/scripts/start-times.ts [rounds]`. */
const rounds = Number(process.argv[2] ?? 5);

async function timed(action: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  await action();
  return performance.now() - startMs;
}

function show(what: string, times: readonly number[]): void {
  const [first = 0, ...others] = times;
  const sorted = others.toSorted((one, other) => one - other);
  const median = sorted[sorted.length >> 1] ?? first;
  process.stdout.write(`${what}: median ${median.toFixed(0)} ms, the first of the process ${first.toFixed(0)} ms\n`);
}

const meshes: number[] = [];
const threes: number[] = [];
for (let round = 0; round < rounds; round++) {
  let stop = (): Promise<void> => Promise.resolve();
  meshes.push(
    await timed(async () => {
      const cluster = await startCluster();
      stop = () => cluster.stop();
      await Promise.all([
        cluster.agent.addService({ name: 'one', port: 9, upstreams: ['other'] }),
        cluster.agent.addService({ name: 'other', port: 9 }),
      ]);
    }),
  );
  await stop();
  threes.push(
    await timed(async () => {
      const cluster = await startCluster({ servers: 3 });
      stop = () => cluster.stop();
    }),
  );
  await stop();
}
show('one server, two services with sidecars', meshes);
show('three servers', threes);
