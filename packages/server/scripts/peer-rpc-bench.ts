import { Secret, silentLogger, silentMetrics } from '@lictor/protocol';
import { systemClock } from '@lictor/protocol/system';
import { credentials } from '@grpc/grpc-js';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createPeerRpcService, PeerRpcClient, RpcListener } from '../src/peer-rpc/index.ts';
import { RpcTls } from '../src/tls/index.ts';
import { createAgentCa, EVERYTHING_VERIFIED } from '../src/tls/testing/certificates.ts';

/**
 * `node --conditions=lictor-source packages/server/scripts/peer-rpc-bench.ts [tls]`: calls between two processes, and the processor time of
 * each side.
 */
const PORTS = { clock: systemClock, logger: silentLogger, metrics: silentMetrics };
const REQUEST = { operation: 'set', entry: { Key: 'bench/1', Value: Buffer.alloc(100, 'x'), Flags: 0, Session: '', ModifyIndex: 0 } };
const REPLY = { index: 12_345, value: true };
const COUNT = 400_000;
const ARCHIVE_BYTES = 256 * 1024 * 1024;

interface Certificate {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

function createTls({ ca, cert, key }: Certificate): RpcTls {
  return new RpcTls(EVERYTHING_VERIFIED, { caPems: [ca], certPem: cert, keyPem: new Secret(key) });
}

async function createCertificate(): Promise<Certificate> {
  const ca = await createAgentCa();
  const { certPem, keyPem } = await ca.material('server.dc1.consul');
  return { ca: ca.pem, cert: certPem, key: keyPem.reveal() };
}

async function serve(): Promise<void> {
  const [certificate] = (await once(process, 'message')) as [Certificate | 'plain'];
  const secured = certificate === 'plain' ? {} : { credentials: createTls(certificate).serverCredentials };
  const listener = new RpcListener({ host: '127.0.0.1', port: 0, ...secured }, PORTS);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const answers: Readonly<Record<string, () => unknown>> = {
    'KVS.Apply': () => REPLY,
    'Snapshot.Restore': () => REPLY,
    'Snapshot.Save': () => ({ index: 1, value: Buffer.alloc(ARCHIVE_BYTES) }),
    Cpu: () => process.cpuUsage(),
    Watch: () => delay.enable(),
    Stall: () => delay.max / 1e6,
  };
  const service = createPeerRpcService({}, ({ method }) => Promise.resolve(answers[method]?.()), PORTS);
  listener.server.addService(service.definition, service.implementation);
  process.send?.(await listener.start());
  process.once('disconnect', () => process.exit());
}

async function measure(): Promise<void> {
  const child = fork(import.meta.filename, ['serve'], { execArgv: ['--conditions=lictor-source', ...process.execArgv] });
  const certificate = process.argv[2] === 'tls' ? await createCertificate() : null;
  child.send(certificate ?? 'plain');
  const [port] = (await once(child, 'message')) as [number];
  const address = `127.0.0.1:${port}`;
  const channel = certificate === null ? credentials.createInsecure() : createTls(certificate).channelCredentials;
  const client = new PeerRpcClient({ credentials: () => channel }, PORTS);
  const put = (): Promise<unknown> => client.call(address, 'KVS.Apply', REQUEST, {});
  await run(20_000, 256, put);
  for (const inFlight of [1, 32, 256]) {
    const count = inFlight === 1 ? COUNT / 20 : COUNT;
    const calleeBefore = (await client.call(address, 'Cpu', {}, {})) as NodeJS.CpuUsage;
    const callerBefore = process.cpuUsage();
    const tookMs = await run(count, inFlight, put);
    const caller = cpuMs(process.cpuUsage(callerBefore));
    const callee = cpuMs((await client.call(address, 'Cpu', {}, {})) as NodeJS.CpuUsage) - cpuMs(calleeBefore);
    const rate = Math.round((count / tookMs) * 1000).toLocaleString('en');
    const perCall = (ms: number): string => ((ms / count) * 1000).toFixed(1);
    process.stdout.write(
      `${inFlight} in flight: ${rate} calls/s, µs of processor a call: caller ${perCall(caller)}, callee ${perCall(callee)}\n`,
    );
  }
  const archive = Buffer.alloc(ARCHIVE_BYTES, 'x');
  await transfer('out', client, address, () => client.call(address, 'Snapshot.Restore', { archive }, {}));
  await transfer('in', client, address, () => client.call(address, 'Snapshot.Save', {}, {}));
  client.close();
  child.disconnect();
}

/** An archive, with small calls going on. */
async function transfer(way: string, client: PeerRpcClient, address: string, call: () => Promise<unknown>): Promise<void> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  await client.call(address, 'Watch', {}, {});
  delay.enable();
  const small: number[] = [];
  let isOver = false;
  const startMs = performance.now();
  const whole = call().then(() => {
    isOver = true;
  });
  while (!isOver) {
    const sentMs = performance.now();
    await client.call(address, 'KVS.Apply', REQUEST, {});
    small.push(performance.now() - sentMs);
  }
  await whole;
  const rate = Math.round(ARCHIVE_BYTES / 1024 / 1024 / ((performance.now() - startMs) / 1000));
  const stall = (await client.call(address, 'Stall', {}, {})) as number;
  const worst = small.sort((a, b) => a - b).at(-1) ?? 0;
  const median = small[small.length >> 1] ?? 0;
  process.stdout.write(
    `an archive ${way}: ${rate} MiB/s, longest stall caller ${(delay.max / 1e6).toFixed(0)} ms, callee ${stall.toFixed(0)} ms; ` +
      `small calls meanwhile: median ${median.toFixed(1)} ms, worst ${worst.toFixed(1)} ms\n`,
  );
}

async function run(count: number, inFlight: number, call: () => Promise<unknown>): Promise<number> {
  let left = count;
  const startMs = performance.now();
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (left-- > 0) await call();
    }),
  );
  return performance.now() - startMs;
}

function cpuMs({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) / 1000;
}

await (process.argv[2] === 'serve' ? serve() : measure());
