import { parseArgs } from 'node:util';
import { findConsul, startPair } from './agents.ts';
import { generateSteps } from './generate/index.ts';
import { recordedSteps } from './recorded-steps.ts';
import { judgeDifferential, readDifferentialDeviations } from './rules.ts';
import { runDifferential } from './run.ts';

/** `node main.ts [-r] [--seed N] [--steps N]`: one run by hand, all differences printed. */
const { values } = parseArgs({
  options: { recorded: { type: 'boolean', short: 'r' }, seed: { type: 'string', default: '1' }, steps: { type: 'string', default: '600' } },
});
const consul = findConsul();
if (consul !== undefined) {
  const { notAsked, rules } = readDifferentialDeviations();
  const steps = values.recorded === true ? recordedSteps(notAsked) : generateSteps(Number(values.seed), Number(values.steps));
  const pair = await startPair(consul);
  try {
    process.stdout.write(judgeDifferential(await runDifferential(pair, steps), rules).text);
  } finally {
    await pair.stop();
  }
}
