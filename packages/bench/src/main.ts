// Measures Lictor against real Consul on this machine, the same client code against both, interleaved: A B A B ..., medians.
// Usage: node --conditions=lictor-source packages/bench/src/main.ts [--rounds=3] [--only=kv,proxy] [--json=FILE]
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { median, meetsGoal, type Row, ratioOf, type RowResult } from './row.ts';
import { agentRows } from './rows/agent.ts';
import { catalogRows } from './rows/catalog.ts';
import { clientRows } from './rows/clients.ts';
import { clientWatcherRows } from './rows/client-watchers.ts';
import { httpRows } from './rows/http.ts';
import { proxyRows } from './rows/proxy.ts';
import { raftFaultRows } from './rows/raft-faults.ts';
import { raftLargeRows } from './rows/raft-large.ts';
import { raftLoadRows } from './rows/raft-load.ts';
import { raftRestartRows } from './rows/raft-restart.ts';
import { CONSUL, LICTOR, type Target } from './targets/target.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, only: { type: 'string', default: '' }, json: { type: 'string', default: '' } },
});
const rounds = Number(values.rounds);
const wanted = values.only.split(',').filter((word) => word !== '');
const usual = [
  ...agentRows,
  ...httpRows,
  ...catalogRows,
  ...proxyRows,
  ...raftLoadRows,
  ...raftLargeRows,
  ...raftFaultRows,
  ...clientRows,
  ...clientWatcherRows,
];
const rows = wanted.length === 0 ? usual : [...usual, ...raftRestartRows].filter((row) => wanted.some((word) => row.name.includes(word)));
const targets: readonly Target[] = CONSUL === undefined ? [LICTOR] : [LICTOR, CONSUL];

print('| measurement | Lictor | Consul | ratio | goal | met |');
print('|---|---|---|---|---|---|');
const results: RowResult[] = [];
for (const row of rows) {
  const result = await measure(row);
  results.push(result);
  print(line(result));
}
if (values.json !== '') {
  const plain = results.map((result) => ({ name: result.row.name, unit: result.row.unit, lictor: result.lictor, consul: result.consul }));
  writeFileSync(values.json, `${JSON.stringify(plain, undefined, 2)}\n`);
}

async function measure(row: Row): Promise<RowResult> {
  const samples: Record<Target['name'], number[]> = { lictor: [], consul: [] };
  for (let round = 0; round < rounds; round++) {
    for (const target of targets.filter(({ name }) => row.only === undefined || row.only === name))
      samples[target.name].push(await row.measure(target));
  }
  return { row, lictor: median(samples.lictor), consul: samples.consul.length === 0 ? undefined : median(samples.consul) };
}

function line(result: RowResult): string {
  const { row, lictor, consul } = result;
  const ratio = ratioOf(result);
  const goal = 'ratio' in row.goal ? `${row.goal.ratio}x` : `<= ${row.goal.atMost} ${row.unit}`;
  const met = { true: 'yes', false: '**no**', undefined: '-' }[String(meetsGoal(result)) as 'true' | 'false' | 'undefined'];
  const cells = [row.name, `${round(lictor)} ${row.unit}`, consul === undefined ? '-' : `${round(consul)} ${row.unit}`];
  return `| ${[...cells, ratio === undefined ? '-' : `${ratio.toFixed(2)}x`, goal, met].join(' | ')} |`;
}

function round(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
