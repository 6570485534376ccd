import { afterAll, describe, expect, it } from 'vitest';
import { Mutants } from './mutants.ts';
import { PLANTED_BUGS, PLANTED_SERF_BUGS } from './planted-bugs.ts';

const SEEDS = 500;
const SERF_SEEDS = 250;
const PARTS = ['swim', 'wire', 'serf', 'testing', 'profiles.ts', 'errors.ts', 'types.ts'];
const mutants = new Mutants({ parts: PARTS, folder: 'swim', script: 'storm.ts', seeds: SEEDS });
const serfMutants = new Mutants({ parts: PARTS, folder: 'serf', script: 'storm.ts', seeds: SERF_SEEDS, args: ['--serf'] });
afterAll(() => {
  mutants.remove();
  serfMutants.remove();
});

describe.concurrent(`a planted bug is found within ${SEEDS} storms:`, () => {
  it.each(PLANTED_BUGS.map((bug, position) => ({ ...bug, position })))('a member that $name', { timeout: 300_000 }, async (bug) => {
    expect(await mutants.simulate(bug, bug.position)).toMatch(/^seed \d+: /m);
  });
});

describe.concurrent(`a planted bug of serf's layer is found within ${SERF_SEEDS} storms:`, () => {
  it.each(PLANTED_SERF_BUGS.map((bug, position) => ({ ...bug, position })))('a member that $name', { timeout: 300_000 }, async (bug) => {
    expect(await serfMutants.simulate(bug, bug.position)).toMatch(/^seed \d+: /m);
  });
});
