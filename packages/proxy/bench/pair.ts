/**
 * Two sidecars in two processes with a client and an echo service between them, on loopback: new connections a second, echo
 * latency and rate, throughput. Figures of one machine mean nothing alone: compare runs.
 *
 *     node --conditions=lictor-source bench/pair.ts [seconds per measurement]
 *
 * Roles of the child processes are given by LICTOR_BENCH_ROLE. `LICTOR_BENCH_TARGET=port` measures an existing upstream port
 * instead, such as that of a real Consul's pair in front of the same echo service.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { silentLogger, silentMetrics } from '@lictor/protocol';
import { systemClock, systemRandom } from '@lictor/protocol/system';
import { createProxy } from '../src/index.ts';
import { createAuthority } from '../src/testing/authority.ts';
import { FakeMesh } from '../src/testing/fake-control-plane.ts';
import { freePort, instance, publicListener, upstreamTo } from '../src/testing/harness.ts';

interface Setup {
  readonly roots: Parameters<FakeMesh['roots']['set']>[0];
  readonly leaf: Parameters<ReturnType<FakeMesh['leaf']>['set']>[0];
  readonly port: number;
}

/** First byte of a connection: what the application does with it. */
const ECHO = 69;
const SINK = 83;
const SECONDS = Number(process.argv[2] ?? 3);

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
      execArgv: ['--conditions=lictor-source'],
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
  await oneConnection(port);
  for (let round = 0; round < 50; round++) await oneConnection(port);
  figures['new connections/s (16 at a time)'] = String(Math.round(await connectionRate(port, 16)));
  figures['echo p50, us'] = String(Math.round(await echoLatencyUs(port)));
  figures['echo/s on 32 connections'] = String(Math.round(await echoRate(port, 32)));
  figures['Gbit/s, one stream'] = (await throughput(port, 1)).toFixed(2);
  figures['Gbit/s, 8 streams'] = (await throughput(port, 8)).toFixed(2);
  for (const [index, { process: running }] of children
    .slice(1)
    .map((process) => ({ process }))
    .entries()) {
    running.send('report');
    const [report] = (await once(running, 'message')) as [{ rssMiB: number }];
    figures[`RSS of sidecar ${index + 1}, MiB`] = String(report.rssMiB);
  }
  for (const [name, value] of Object.entries(figures)) process.stdout.write(`${name.padEnd(36)}${value}\n`);
  for (const running of children) running.kill();
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

async function connectionRate(port: number, concurrency: number): Promise<number> {
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
  return count / SECONDS;
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

async function echoLatencyUs(port: number): Promise<number> {
  const rounds: number[] = [];
  await pingPong(await open(port), Buffer.alloc(64, ECHO), performance.now() + SECONDS * 1000, (us) => rounds.push(us));
  rounds.sort((a, b) => a - b);
  return rounds[Math.trunc(rounds.length / 2)] ?? 0;
}

async function echoRate(port: number, connections: number): Promise<number> {
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(port)));
  let count = 0;
  const endMs = performance.now() + SECONDS * 1000;
  await Promise.all(sockets.map((socket) => pingPong(socket, Buffer.alloc(64, ECHO), endMs, () => count++)));
  return count / SECONDS;
}

/** Towards the application, which counts and answers the count at the end. */
async function throughput(port: number, streams: number): Promise<number> {
  const chunk = Buffer.alloc(64 * 1024, SINK);
  const sockets = await Promise.all(Array.from({ length: streams }, () => open(port)));
  const startedMs = performance.now();
  const endMs = startedMs + SECONDS * 1000;
  const received = await Promise.all(sockets.map((socket) => upload(socket, chunk, endMs)));
  const total = received.reduce((sum, bytes) => sum + bytes, 0);
  return (total * 8) / ((performance.now() - startedMs) * 1e6);
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
