// Simulated servers, one cluster for each seed: `npm run sim:cluster -- [--seeds 500] [--from 1] [--jobs 2] [--until-failure] [--print] [--plant NAME]`.
// A failing seed is printed with what it violated, and fails the run.
import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import type { SimulationResult } from '../src/index.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '500' },
    from: { type: 'string', default: '1' },
    jobs: { type: 'string', default: String(availableParallelism()) },
    'until-failure': { type: 'boolean', default: false },
    print: { type: 'boolean', default: false },
    plant: { type: 'string' },
    /** Of a child: it takes every so many-th seed. */
    step: { type: 'string', default: '1' },
  },
});

type Totals = Record<string, number>;
type Report = { readonly totals: Totals } | { readonly failed: string };

const from = Number(values.from);
const seeds = Number(values.seeds);
const jobs = Math.min(Number(values.jobs), seeds);
const startMs = performance.now();
const totals: Totals = {};
let failed = 0;

if (jobs > 1) await runInChildren();
else await runHere(Number(values.step));

if (process.send === undefined) {
  const seconds = (performance.now() - startMs) / 1000;
  const { virtualMs = 0, seeds: done = 0, ...counts } = totals;
  const hours = (virtualMs / 3_600_000).toFixed(2);
  write(`${done + failed} seeds, ${failed} failed; ${hours} virtual hours in ${seconds.toFixed(1)} s: ${JSON.stringify(counts)}`);
}
process.exitCode = failed === 0 ? 0 : 1;

async function runHere(step: number): Promise<void> {
  if (values.plant !== undefined) (await import('./plant.ts')).plant(values.plant);
  const { FailedSimulation, Simulation } = await import('../src/index.ts');
  for (let seed = from; seed < from + seeds && !(values['until-failure'] && failed > 0); seed += step) {
    try {
      const result = await new Simulation({ seed, ...(values.print ? { print: write } : {}) }).run();
      if (values.print) write(`trace ${result.trace}`);
      take({ totals: numbersOf(result) });
    } catch (thrown) {
      if (!(thrown instanceof FailedSimulation)) throw thrown;
      take({ failed: [thrown.message, ...thrown.events.map((line) => `  ${line}`)].join('\n') });
    }
  }
}

async function runInChildren(): Promise<void> {
  const args = ['--jobs', '1', '--step', String(jobs), ...(values['until-failure'] ? ['--until-failure'] : [])];
  if (values.plant !== undefined) args.push('--plant', values.plant);
  const children = Array.from({ length: jobs }, (_, job) =>
    fork(import.meta.filename, [...args, '--from', String(from + job), '--seeds', String(seeds - job)]),
  );
  // Whoever stops a long run still learns how far it came.
  const stop = (): void => {
    for (const each of children) each.kill();
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  await Promise.all(
    children.map(
      (child) =>
        new Promise<void>((resolve, reject) => {
          child.on('message', (report: Report) => {
            take(report);
            if (values['until-failure'] && failed > 0) stop();
          });
          child.on('error', reject);
          child.on('exit', (code, signal) => {
            if (code === 0 || signal !== null || failed > 0) resolve();
            else reject(new Error(`a worker ended with ${code}`));
          });
        }),
    ),
  );
}

function take(report: Report): void {
  if (process.send !== undefined) {
    process.send(report);
    if ('failed' in report) failed++;
    return;
  }
  if ('failed' in report) {
    failed++;
    write(report.failed);
  } else for (const [name, value] of Object.entries(report.totals)) totals[name] = (totals[name] ?? 0) + value;
}

function numbersOf({ seed: _seed, trace: _trace, ...numbers }: SimulationResult): Totals {
  return { seeds: 1, ...numbers };
}

function write(line: string): void {
  process.stdout.write(`${line}\n`);
}
