// Pools in bad weather, one for each seed: `npm run storm -- [--seeds 200] [--from 1] [--serf] [--until-failure]`. A failing seed is printed and fails the run.
import { parseArgs } from 'node:util';
import { SerfStorm } from '../src/testing/serf-storm.ts';
import { Storm } from '../src/testing/storm.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '200' },
    from: { type: 'string', default: '1' },
    serf: { type: 'boolean', default: false },
    'until-failure': { type: 'boolean', default: false },
  },
});
const from = Number(values.from);
const seeds = Number(values.seeds);
const totals = new Map<string, number>();
let failed = 0;
for (let seed = from; seed < from + seeds && !(values['until-failure'] && failed > 0); seed++) {
  try {
    const result = values.serf ? { events: new SerfStorm(seed).run() } : new Storm(seed).run();
    for (const [name, count] of Object.entries(result)) totals.set(name, (totals.get(name) ?? 0) + Number(count));
  } catch (error) {
    failed++;
    process.stdout.write(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}\n`);
  }
}
process.stdout.write(`${seeds} seeds, ${failed} failed: ${JSON.stringify(Object.fromEntries(totals))}\n`);
process.exitCode = failed === 0 ? 0 : 1;
