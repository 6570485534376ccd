import { afterAll, describe, expect, it } from 'vitest';
import { Mutants } from './mutants.ts';
import { PLANTED_BUGS } from './planted-bugs.ts';

const SEEDS = 2000;
const mutants = new Mutants({ parts: ['core', 'testing'], folder: 'core', script: 'sim.ts', seeds: SEEDS });
afterAll(() => mutants.remove());

describe.concurrent(`a planted bug is found within ${SEEDS} seeds:`, () => {
  it.each(PLANTED_BUGS.map((bug, position) => ({ ...bug, position })))('a server that $name', { timeout: 300_000 }, async (bug) => {
    expect(await mutants.simulate(bug, bug.position)).toMatch(/^seed \d+: /m);
  });
});
