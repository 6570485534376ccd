// Simulated clusters, one for each seed: `npm run sim -- [--seeds 500] [--from 1] [--until-failure]`. A failing seed is printed and fails the run.
import { parseArgs } from 'node:util';
import { Simulation } from '../src/testing/simulation.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '500' },
    from: { type: 'string', default: '1' },
    'until-failure': { type: 'boolean', default: false },
  },
});
const from = Number(values.from);
const seeds = Number(values.seeds);
const totals = { committed: 0, reads: 0, leaseReads: 0, elections: 0, crashes: 0, membershipChanges: 0 };
let failed = 0;
for (let seed = from; seed < from + seeds && !(values['until-failure'] && failed > 0); seed++) {
  try {
    const result = new Simulation({ seed }).run();
    for (const name of Object.keys(totals) as (keyof typeof totals)[]) totals[name] += result[name];
  } catch (error) {
    failed++;
    process.stdout.write(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}\n`);
  }
}
process.stdout.write(`${seeds} seeds, ${failed} failed: ${JSON.stringify(totals)}\n`);
process.exitCode = failed === 0 ? 0 : 1;
