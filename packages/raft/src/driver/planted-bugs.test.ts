import { afterAll, describe, expect, it } from 'vitest';
import { Mutants } from '../testing/mutants.ts';
import { PLANTED_BUGS } from './testing/planted-bugs.ts';

const SEEDS = 400;
const mutants = new Mutants({ parts: ['core', 'driver', 'storage', 'testing'], folder: '.', script: 'storm.ts', seeds: SEEDS });
afterAll(() => mutants.remove());

describe.concurrent(`a bug planted around the core is found within ${SEEDS} storms:`, () => {
  it.each(PLANTED_BUGS.map((bug, position) => ({ ...bug, position })))('a server that $name', { timeout: 300_000 }, async (bug) => {
    expect(await mutants.simulate(bug, bug.position)).toMatch(/^seed \d+: /m);
  });
});
