// Pools in bad weather, one for each seed: `npm run storm -- [--seeds 200] [--from 1] [--until-failure]`. A failing seed is printed and fails the run.
import { parseArgs } from 'node:util';
import { Storm } from '../src/testing/storm.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '200' },
    from: { type: 'string', default: '1' },
    'until-failure': { type: 'boolean', default: false },
  },
});
const from = Number(values.from);
const seeds = Number(values.seeds);
const totals = { kills: 0, leaves: 0, restarts: 0, partitions: 0, updates: 0 };
let failed = 0;
for (let seed = from; seed < from + seeds && !(values['until-failure'] && failed > 0); seed++) {
  try {
    const result = new Storm(seed).run();
    for (const name of Object.keys(totals) as (keyof typeof totals)[]) totals[name] += result[name];
  } catch (error) {
    failed++;
    process.stdout.write(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}\n`);
  }
}
process.stdout.write(`${seeds} seeds, ${failed} failed: ${JSON.stringify(totals)}\n`);
process.exitCode = failed === 0 ? 0 : 1;
