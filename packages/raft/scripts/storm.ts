// Whole servers in storms, one for each seed: `npm run storm -- [--seeds 100] [--from 1] [--until-failure]`. A failing seed is printed and fails the run.
import { parseArgs } from 'node:util';
import { Storm, type StormResult } from '../src/driver/testing/storm.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '1' },
    'until-failure': { type: 'boolean', default: false },
  },
});
const from = Number(values.from);
const seeds = Number(values.seeds);
const totals = { applied: 0, acknowledgements: 0, reads: 0, restarts: 0, installs: 0, refusedStarts: 0 } satisfies StormResult;
let failed = 0;
for (let seed = from; seed < from + seeds && !(values['until-failure'] && failed > 0); seed++) {
  try {
    const result = await new Storm(seed).run();
    for (const name of Object.keys(totals) as (keyof StormResult)[]) totals[name] += result[name];
  } catch (error) {
    failed++;
    const cause = error instanceof Error && error.cause instanceof Error ? ` (${error.cause.message})` : '';
    process.stdout.write(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}${cause}\n`);
  }
}
process.stdout.write(`${seeds} seeds, ${failed} failed: ${JSON.stringify(totals)}\n`);
process.exitCode = failed === 0 ? 0 : 1;
