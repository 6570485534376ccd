// A mesh of many agents, timed: `node --conditions=lictor-source packages/testing/scripts/scale.ts [--clients=50] [--services=20]`.
// Servers are processes of their own; all clients and sidecars share this one, which on few cores is what limits them.
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { runScale, type Step } from '../src/scale/run-scale.ts';

const { values } = parseArgs({
  options: {
    servers: { type: 'string', default: '3' },
    clients: { type: 'string', default: '50' },
    services: { type: 'string', default: '20' },
    idle: { type: 'string', default: '30' },
  },
});

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function line({ name, tookMs, spread, load, ownCpu }: Step): string {
  const arrival = spread === undefined ? '' : [spread.p50Ms, spread.p99Ms, spread.maxMs].map((ms) => ms.toFixed(0)).join(' / ');
  const percent = (part: number): string => `${(part * 100).toFixed(0)} %`;
  const rss = load.rssMib.map((mib) => mib.toFixed(0)).join(', ');
  return `| ${[name, `${(tookMs / 1000).toFixed(2)} s`, arrival, rss, load.cpu.map(percent).join(', '), percent(ownCpu)].join(' | ')} |`;
}

print(`load before: ${loadavg()[0]?.toFixed(1) ?? ''}`);
print('| step | took | arrival p50 / p99 / max, ms | servers, MiB | servers, CPU | clients and sidecars, CPU |');
print('|---|---|---|---|---|---|');
await runScale({
  servers: Number(values.servers),
  clients: Number(values.clients),
  services: Number(values.services),
  idleMs: Number(values.idle) * 1000,
  onStep: (step) => print(line(step)),
});
print(`load after: ${loadavg()[0]?.toFixed(1) ?? ''}`);
