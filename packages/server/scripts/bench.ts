import { silentLogger, silentMetrics } from '@lictor/protocol';
import { systemClock, systemRandom } from '@lictor/protocol/system';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, createServerConfig, type Server } from '../src/index.ts';

/** `node --conditions=lictor-source packages/server/scripts/bench.ts`: figures of one server without its HTTP face. */
const VALUE = Buffer.alloc(100, 'x');

async function start(dataDir: string | null): Promise<Server> {
  const config = createServerConfig({ nodeId: '00000000-0000-0000-0000-000000000001', dataDir });
  const server = createServer(config, { clock: systemClock, random: systemRandom, logger: silentLogger, metrics: silentMetrics });
  await server.start();
  return server;
}

function put(server: Server, key: string): Promise<{ readonly index: number }> {
  return server.port.call('KVS.Apply', { operation: 'set', entry: { Key: key, Value: VALUE, Flags: 0, Session: '', ModifyIndex: 0 } });
}

async function perSecond(count: number, inFlight: number, call: (at: number) => Promise<unknown>): Promise<string> {
  let next = 0;
  const startMs = performance.now();
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (next < count) await call(next++);
    }),
  );
  return Math.round((count / (performance.now() - startMs)) * 1000).toLocaleString('en');
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function writes(name: string, dataDir: string | null, count: number): Promise<void> {
  const server = await start(dataDir);
  for (const inFlight of [1, 32, 256]) {
    const rate = await perSecond(inFlight === 1 ? count / 10 : count, inFlight, (at) => put(server, `bench/${at % 10_000}`));
    print(`KVS.Apply ${name}, ${inFlight} in flight: ${rate}/s`);
  }
  await server.stop();
}

async function reads(): Promise<void> {
  const server = await start(null);
  for (let at = 0; at < 1000; at++) await put(server, `bench/${at}`);
  for (let round = 0; round < 3; round++) {
    const rate = await perSecond(500_000, 32, (at) => server.port.call('KVS.Get', { key: `bench/${at % 1000}` }));
    print(`KVS.Get: ${rate}/s`);
  }
  await server.stop();
}

async function watchers(count: number): Promise<void> {
  const server = await start(null);
  await put(server, 'watched');
  const { meta } = await server.port.call('KVS.Get', { key: 'watched' });
  for (let round = 0, minIndex = meta.index; round < 3; round++) {
    const waiting = Array.from({ length: count }, () => server.port.call('KVS.Get', { key: 'watched' }, { query: { minIndex } }));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const startMs = performance.now();
    const entry = { Key: 'watched', Value: Buffer.from(String(round)), Flags: 0, Session: '', ModifyIndex: 0 };
    await server.port.call('KVS.Apply', { operation: 'set', entry });
    const wroteMs = performance.now();
    const replies = await Promise.all(waiting);
    const values = new Set(replies.map((reply) => reply.value));
    minIndex = replies[0]?.meta.index ?? 0;
    print(
      `${count} identical watchers: write ${(wroteMs - startMs).toFixed(1)} ms, last woken after ${(performance.now() - startMs).toFixed(1)} ms, ${values.size} value`,
    );
  }
  await server.stop();
}

async function catalog(nodes: number, perNode: number): Promise<void> {
  const server = await start(null);
  const startMs = performance.now();
  const before = process.memoryUsage().heapUsed;
  const base = {
    TaggedAddresses: null,
    Meta: null,
    Tags: ['v1'],
    Ports: [],
    SocketPath: '',
    EnableTagOverride: false,
    Namespace: '',
    Partition: '',
  };
  for (let node = 0; node < nodes; node++) {
    const calls = Array.from({ length: perNode }, (_, at) =>
      server.port.call('Catalog.Register', {
        ID: '',
        Node: `node-${node}`,
        Address: '10.0.0.1',
        Datacenter: '',
        TaggedAddresses: null,
        NodeMeta: null,
        Checks: [],
        SkipNodeUpdate: at > 0,
        Namespace: '',
        Partition: '',
        PeerName: '',
        Service: {
          ...base,
          Kind: '',
          ID: `s${at}`,
          Service: `service-${(node * perNode + at) % 500}`,
          Address: '',
          Port: 80,
          PeerName: '',
          CreateIndex: 0,
          ModifyIndex: 0,
        },
      }),
    );
    await Promise.all(calls);
  }
  const heapMiB = (process.memoryUsage().heapUsed - before) / 2 ** 20;
  print(
    `${nodes * perNode} instances registered in ${((performance.now() - startMs) / 1000).toFixed(1)} s, heap +${heapMiB.toFixed(0)} MiB`,
  );
  print(`Catalog.ListServices, unchanged: ${await perSecond(100_000, 32, () => server.port.call('Catalog.ListServices', {}))}/s`);
  let round = 0;
  const changing = await perSecond(50, 1, async () => {
    await server.port.call('Catalog.Deregister', {
      Node: `node-${round++}`,
      ServiceID: 's0',
      CheckID: '',
      Datacenter: '',
      Namespace: '',
      Partition: '',
    });
    await server.port.call('Catalog.ListServices', {});
  });
  print(`Catalog.ListServices, changed before every call: ${changing}/s`);
  print(
    `Health.ServiceNodes of 40, unchanged: ${await perSecond(100_000, 32, () => server.port.call('Health.ServiceNodes', { service: 'service-1' }))}/s`,
  );
  const slices = performance.now();
  await server.port.call('Snapshot.Save', {});
  print(`snapshot of it: ${(performance.now() - slices).toFixed(0)} ms`);
  await server.stop();
}

// The server's timers do not keep a process alive.
const keepAlive = setInterval(() => undefined, 1000);
const dataDir = await mkdtemp(join(tmpdir(), 'lictor-bench-'));
await writes('in memory', null, 200_000);
await writes('LevelDB synced', dataDir, 60_000);
await rm(dataDir, { recursive: true });
await reads();
await watchers(2000);
await catalog(1000, 20);
clearInterval(keepAlive);
