/**
 * Two sidecars in two processes with a client and an echo service between them, on loopback: new connections a second, echo
 * latency and rate, throughput. Figures of one machine mean nothing alone: compare runs.
 *
 *     node --conditions=lictor-source bench/pair.ts [seconds per measurement [part of the names to measure]]
 *
 * Roles of the child processes are given by LICTOR_BENCH_ROLE. `LICTOR_BENCH_TARGET=port` measures an existing upstream port
 * instead, such as that of a real Consul's pair in front of the same echo service.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { silentLogger, silentMetrics } from '@lictor/protocol';
import { systemClock, systemRandom } from '@lictor/protocol/system';
import { freePort } from '@lictor/protocol/testing';
import { createProxy } from '../src/index.ts';
import { createAuthority } from '../src/testing/authority.ts';
import { FakeMesh } from '../src/testing/fake-control-plane.ts';
import { instance, publicListener, upstreamTo } from '../src/testing/harness.ts';

interface Setup {
  readonly roots: Parameters<FakeMesh['roots']['set']>[0];
  readonly leaf: Parameters<ReturnType<FakeMesh['leaf']>['set']>[0];
  readonly port: number;
}

/** First byte of a connection: what the application does with it. */
const ECHO = 69;
const SINK = 83;
const SECONDS = Number(process.argv[2] ?? 3);
const ONLY = process.argv[3] ?? '';

if (process.env['LICTOR_BENCH_ROLE'] === 'destination') await runDestination();
else if (process.env['LICTOR_BENCH_ROLE'] === 'source') await runSource();
else if (process.env['LICTOR_BENCH_ROLE'] === 'echo') await runEcho();
else await runClient();

async function setup(): Promise<Setup> {
  const [message] = (await once(process, 'message')) as [Setup];
  return message;
}

async function runDestination(): Promise<void> {
  const { roots, leaf, port } = await setup();
  await runProxy('socat', roots, leaf, { service: 'socat', upstreams: [], publicListener: publicListener(port) });
}

async function runSource(): Promise<void> {
  const { roots, leaf, port } = await setup();
  const upstream = upstreamTo('socat', await freePort());
  await runProxy('web', roots, leaf, { service: 'web', upstreams: [upstream] }, port);
}

async function runProxy(
  service: string,
  roots: Setup['roots'],
  leaf: Setup['leaf'],
  config: Parameters<typeof createProxy>[0]['source'] extends infer S ? (S extends { config: infer C } ? C : never) : never,
  destination?: number,
): Promise<void> {
  const mesh = new FakeMesh();
  mesh.roots.set(roots);
  mesh.leaf(service).set(leaf);
  mesh.setDefault(true);
  if (destination !== undefined) mesh.instancesOf('socat').set([instance('socat', destination)]);
  const proxy = createProxy(
    { source: { kind: 'static', config } },
    { controlPlane: mesh.controlPlane(), clock: systemClock, random: systemRandom, logger: silentLogger, metrics: silentMetrics },
  );
  proxy.start();
  await proxy.ready;
  process.send?.({ port: proxy.publicPort ?? [...proxy.upstreamPorts.values()][0] });
  // A normal end, so that --cpu-prof writes its file.
  process.once('SIGTERM', () => process.exit());
  process.on('message', () => process.send?.({ rssMiB: Math.round(process.memoryUsage().rss / 2 ** 20), cpu: process.cpuUsage() }));
}

async function runEcho(): Promise<void> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (first: Buffer) => {
      if (first[0] === SINK) {
        let received = first.length;
        socket.on('data', (chunk: Buffer) => (received += chunk.length));
        socket.on('end', () => socket.end(String(received)));
        return;
      }
      socket.write(first);
      socket.pipe(socket);
    });
  });
  server.listen(0, '127.0.0.1', 1024);
  await once(server, 'listening');
  const address = server.address();
  process.send?.({ port: typeof address === 'object' ? address?.port : 0 });
}

async function runClient(): Promise<void> {
  const children: ChildProcess[] = [];
  const child = async (role: string, message?: Setup): Promise<{ port: number; process: ChildProcess }> => {
    const started = fork(import.meta.filename, [], {
      env: { ...process.env, LICTOR_BENCH_ROLE: role },
      execArgv: ['--conditions=lictor-source', ...(process.env['LICTOR_BENCH_FLAGS']?.split(' ') ?? [])],
    });
    children.push(started);
    if (message !== undefined) started.send(message);
    const [reply] = (await once(started, 'message')) as [{ port: number }];
    return { port: reply.port, process: started };
  };
  const authority = await createAuthority();
  const roots = { ActiveRootID: authority.root.ID, TrustDomain: authority.trustDomain, Roots: [authority.root] };
  const echo = await child('echo');
  const existing = process.env['LICTOR_BENCH_TARGET'];
  let port = Number(existing);
  if (existing === undefined) {
    const destination = await child('destination', { roots, leaf: await authority.issue({ service: 'socat' }), port: echo.port });
    port = (await child('source', { roots, leaf: await authority.issue({ service: 'web' }), port: destination.port })).port;
  }
  const figures: Record<string, string> = {};
  const sidecars = children.slice(1);
  /** CPU time of both sidecars, us: unlike the rates it does not depend on what else the machine does. */
  const cpuUs = async (): Promise<number> => {
    const all = await Promise.all(sidecars.map(report));
    return all.reduce((sum, { cpu }) => sum + cpu.user + cpu.system, 0);
  };
  const measure = async (name: string, unit: string, run: () => Promise<Measured>): Promise<void> => {
    if (!name.includes(ONLY)) return;
    const beforeUs = await cpuUs();
    const { value, count } = await run();
    const usedUs = (await cpuUs()) - beforeUs;
    figures[name] =
      `${value < 100 ? value.toFixed(2) : Math.round(value)}${sidecars.length > 0 ? `   (${(usedUs / count).toFixed(1)} us of sidecar CPU a ${unit})` : ''}`;
  };
  await oneConnection(port);
  for (let round = 0; round < 50; round++) await oneConnection(port);
  await measure('new connections/s, 16 at a time', 'connection', () => connectionRate(port, 16));
  await measure('echo p50, us', 'round', () => echoLatency(port));
  await measure('echo/s on 32 connections', 'round', () => echoRate(port, 32));
  await measure('Gbit/s, one stream', 'MiB', () => throughput(port, 1));
  await measure('Gbit/s, 8 streams', 'MiB', () => throughput(port, 8));
  for (const [index, sidecar] of sidecars.entries()) figures[`RSS of sidecar ${index + 1}, MiB`] = String((await report(sidecar)).rssMiB);
  for (const [name, value] of Object.entries(figures)) process.stdout.write(`${name.padEnd(36)}${value}\n`);
  for (const running of children) running.kill();
}

async function report(child: ChildProcess): Promise<{ readonly rssMiB: number; readonly cpu: NodeJS.CpuUsage }> {
  child.send('report');
  const [answer] = (await once(child, 'message')) as [{ readonly rssMiB: number; readonly cpu: NodeJS.CpuUsage }];
  return answer;
}

interface Measured {
  readonly value: number;
  /** Of the units that CPU time is divided by. */
  readonly count: number;
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    socket.once('error', reject);
    socket.once('connect', () => resolve(socket));
  });
}

/** Connect, one echo, close. */
function oneConnection(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    socket.write('E');
    socket.once('data', () => socket.end());
    socket.once('error', reject);
    socket.once('close', () => resolve());
  });
}

async function connectionRate(port: number, concurrency: number): Promise<Measured> {
  const endMs = performance.now() + SECONDS * 1000;
  let count = 0;
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (performance.now() < endMs) {
        await oneConnection(port);
        count++;
      }
    }),
  );
  return { value: count / SECONDS, count };
}

function pingPong(socket: Socket, payload: Buffer, endMs: number, onRound: (us: number) => void): Promise<void> {
  return new Promise((resolve) => {
    let startedMs = performance.now();
    let missing = payload.length;
    socket.on('data', (chunk: Buffer) => {
      missing -= chunk.length;
      if (missing > 0) return;
      const nowMs = performance.now();
      onRound((nowMs - startedMs) * 1000);
      if (nowMs > endMs) {
        socket.destroy();
        resolve();
        return;
      }
      startedMs = nowMs;
      missing = payload.length;
      socket.write(payload);
    });
    socket.write(payload);
  });
}

async function echoLatency(port: number): Promise<Measured> {
  const rounds: number[] = [];
  await pingPong(await open(port), Buffer.alloc(64, ECHO), performance.now() + SECONDS * 1000, (us) => rounds.push(us));
  rounds.sort((a, b) => a - b);
  return { value: rounds[Math.trunc(rounds.length / 2)] ?? 0, count: rounds.length };
}

async function echoRate(port: number, connections: number): Promise<Measured> {
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(port)));
  let count = 0;
  const endMs = performance.now() + SECONDS * 1000;
  await Promise.all(sockets.map((socket) => pingPong(socket, Buffer.alloc(64, ECHO), endMs, () => count++)));
  return { value: count / SECONDS, count };
}

/** Towards the application, which counts and answers the count at the end. */
async function throughput(port: number, streams: number): Promise<Measured> {
  const chunk = Buffer.alloc(64 * 1024, SINK);
  const sockets = await Promise.all(Array.from({ length: streams }, () => open(port)));
  const startedMs = performance.now();
  const endMs = startedMs + SECONDS * 1000;
  const received = await Promise.all(sockets.map((socket) => upload(socket, chunk, endMs)));
  const total = received.reduce((sum, bytes) => sum + bytes, 0);
  return { value: (total * 8) / ((performance.now() - startedMs) * 1e6), count: total / 2 ** 20 };
}

function upload(socket: Socket, chunk: Buffer, endMs: number): Promise<number> {
  return new Promise((resolve) => {
    const write = (): void => {
      while (performance.now() < endMs) if (!socket.write(chunk)) return;
      socket.off('drain', write);
      socket.end();
    };
    socket.on('drain', write);
    socket.once('data', (count: Buffer) => resolve(Number(count.toString())));
    write();
  });
}
