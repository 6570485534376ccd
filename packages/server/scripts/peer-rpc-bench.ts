import { silentLogger, silentMetrics } from '@lictor/protocol';
import { systemClock } from '@lictor/protocol/system';
import { credentials } from '@grpc/grpc-js';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createPeerRpcService, PeerRpcClient, RpcListener } from '../src/peer-rpc/index.ts';

/** `node --conditions=lictor-source packages/server/scripts/peer-rpc-bench.ts`: calls between two processes, and the processor time of each side. */
const PORTS = { clock: systemClock, logger: silentLogger, metrics: silentMetrics };
const REQUEST = { operation: 'set', entry: { Key: 'bench/1', Value: Buffer.alloc(100, 'x'), Flags: 0, Session: '', ModifyIndex: 0 } };
const REPLY = { index: 12_345, value: true };
const COUNT = 400_000;

async function serve(): Promise<void> {
  const listener = new RpcListener({ host: '127.0.0.1', port: 0 }, PORTS);
  const service = createPeerRpcService({}, ({ method }) => Promise.resolve(method === 'KVS.Apply' ? REPLY : process.cpuUsage()), PORTS);
  listener.server.addService(service.definition, service.implementation);
  process.send?.(await listener.start());
  process.once('disconnect', () => process.exit());
}

async function measure(): Promise<void> {
  const child = fork(import.meta.filename, ['serve'], { execArgv: ['--conditions=lictor-source', ...process.execArgv] });
  const [port] = (await once(child, 'message')) as [number];
  const address = `127.0.0.1:${port}`;
  const client = new PeerRpcClient({ credentials: () => credentials.createInsecure() }, PORTS);
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
  client.close();
  child.disconnect();
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
