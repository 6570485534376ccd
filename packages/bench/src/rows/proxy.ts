import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePort } from '@lictor/protocol/testing';
import { median, type Row } from '../row.ts';
import { DevAgent, type Target } from '../targets/target.ts';

const MIB = 2 ** 20;

/** What a connection that begins with it is for: its bytes are read and dropped, all others come back. */
const SINK = 's'.charCodeAt(0);

/** Two sidecars of the target, one service behind them, applications on loopback. */
export const proxyRows: readonly Row[] = [
  pairRow('proxy: first echo of two sidecars', 'ms', 'less', { atMost: 1500 }, (pair) => Promise.resolve(pair.firstEchoMs)),
  pairRow('proxy: new connections', 'conn/s', 'more', { ratio: 3 }, (pair) => newConnections(pair.port, 8, 3000)),
  pairRow('proxy: echo p50', 'us', 'less', { ratio: 1 }, (pair) => echoMedian(pair.port, 3000)),
  pairRow('proxy: echoes on 32 connections', 'echo/s', 'more', { ratio: 1 }, (pair) => echoRate(pair.port, 32, 3000)),
  pairRow('proxy: one stream', 'Gbit/s', 'more', { ratio: 0.8 }, (pair) => throughput(pair.port, 1, 3000)),
  pairRow('proxy: 8 streams', 'Gbit/s', 'more', { ratio: 0.8 }, (pair) => throughput(pair.port, 8, 3000)),
  pairRow('proxy: memory of both sidecars after load', 'MiB', 'less', { atMost: 160 }, async (pair) => {
    await echoRate(pair.port, 32, 2000);
    await throughput(pair.port, 1, 1000);
    return pair.agent.othersRssMib();
  }),
];

interface Pair {
  readonly agent: DevAgent;
  /** The upstream listener that leads to the service. */
  readonly port: number;
  readonly firstEchoMs: number;
}

function pairRow(name: string, unit: string, better: Row['better'], goal: Row['goal'], measure: (pair: Pair) => Promise<number>): Row {
  return { name, unit, better, goal, measure: (target) => withPair(target, measure) };
}

async function withPair(target: Target, measure: (pair: Pair) => Promise<number>): Promise<number> {
  const service = await serve();
  const agent = await DevAgent.start(target);
  try {
    const port = await freePort();
    await agent.api('PUT', '/v1/agent/service/register', { Name: 'echo', Port: portOf(service), Connect: { SidecarService: {} } });
    const upstreams = [{ DestinationName: 'echo', LocalBindPort: port }];
    await agent.api('PUT', '/v1/agent/service/register', { Name: 'web', Connect: { SidecarService: { Proxy: { Upstreams: upstreams } } } });
    const startedMs = performance.now();
    for (const name of ['echo', 'web']) agent.spawn('connect', 'proxy', '-sidecar-for', name, '-log-level', 'error');
    await firstEcho(port);
    const firstEchoMs = performance.now() - startedMs;
    return await measure({ agent, port, firstEchoMs });
  } finally {
    await agent.stop();
    service.close();
  }
}

async function firstEcho(port: number): Promise<void> {
  for (let attempt = 0; attempt < 3000; attempt++) {
    if (await echoOnce(port).catch(() => false)) return;
    await new Promise((wake) => setTimeout(wake, 10));
  }
  throw new Error('no echo');
}

function echoOnce(port: number): Promise<boolean> {
  return new Promise((done, fail) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('x'));
    socket.on('data', () => {
      done(true);
      socket.destroy();
    });
    socket.on('error', fail);
    socket.on('close', () => done(false));
  });
}

async function newConnections(port: number, workers: number, durationMs: number): Promise<number> {
  await Promise.all(Array.from({ length: workers }, () => echoOnce(port)));
  const endMs = performance.now() + durationMs;
  let completed = 0;
  await Promise.all(
    Array.from({ length: workers }, async () => {
      while (performance.now() < endMs) if (await echoOnce(port)) completed++;
    }),
  );
  return (completed / durationMs) * 1000;
}

async function echoMedian(port: number, durationMs: number): Promise<number> {
  const socket = await open(port);
  const timings: number[] = [];
  const endMs = performance.now() + durationMs;
  while (performance.now() < endMs) {
    const startedMs = performance.now();
    await exchange(socket);
    timings.push((performance.now() - startedMs) * 1000);
  }
  socket.destroy();
  return median(timings.slice(Math.floor(timings.length / 4)));
}

async function echoRate(port: number, connections: number, durationMs: number): Promise<number> {
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(port)));
  const endMs = performance.now() + durationMs;
  let completed = 0;
  await Promise.all(
    sockets.map(async (socket) => {
      while (performance.now() < endMs) {
        await exchange(socket);
        completed++;
      }
      socket.destroy();
    }),
  );
  return (completed / durationMs) * 1000;
}

const MESSAGE = Buffer.alloc(64, 'x');

function exchange(socket: Socket): Promise<void> {
  return new Promise((done, fail) => {
    let missing = MESSAGE.length;
    const onData = (chunk: Buffer): void => {
      missing -= chunk.length;
      if (missing > 0) return;
      socket.off('data', onData);
      socket.off('close', fail);
      done();
    };
    socket.on('data', onData);
    socket.once('close', fail);
    socket.write(MESSAGE);
  });
}

/** Bytes taken by the kernel and the proxies, counted where they are written; the sink drops them. */
async function throughput(port: number, streams: number, durationMs: number): Promise<number> {
  const chunk = Buffer.alloc(256 * 1024, SINK);
  const sockets = await Promise.all(Array.from({ length: streams }, () => open(port)));
  const endMs = performance.now() + durationMs;
  const startedMs = performance.now();
  await Promise.all(
    sockets.map(
      (socket) =>
        new Promise<void>((done, fail) => {
          socket.on('error', fail);
          const pump = (): void => {
            while (performance.now() < endMs) if (!socket.write(chunk)) return void socket.once('drain', pump);
            done();
          };
          pump();
        }),
    ),
  );
  const bytes = sockets.reduce((sum, socket) => sum + socket.bytesWritten - socket.writableLength, 0);
  const elapsedMs = performance.now() - startedMs;
  for (const socket of sockets) socket.destroy();
  if (bytes < MIB) throw new Error('nothing went through');
  return (bytes * 8) / elapsedMs / 1e6;
}

function serve(): Promise<Server> {
  return new Promise((listening) => {
    const server = createServer({ noDelay: true }, (socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (first: Buffer) => {
        if (first[0] === SINK) {
          socket.resume();
          return;
        }
        socket.write(first);
        socket.pipe(socket);
      });
    });
    server.listen(0, '127.0.0.1', () => listening(server));
  });
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket));
    socket.setNoDelay(true);
    socket.once('error', reject);
  });
}
