import { describe, expect, it } from 'vitest';
import { Storm, type StormResult } from './testing/storm.ts';

const SEEDS = Number(process.env['LICTOR_STORM_SEEDS'] ?? 40);

describe('three servers in storms', () => {
  it(`keep what they have promised, and converge once healed, for seeds 1 to ${SEEDS}`, { timeout: 600_000 }, async () => {
    const totals = { applied: 0, acknowledgements: 0, reads: 0, restarts: 0, installs: 0, refusedStarts: 0 } satisfies StormResult;
    for (let seed = 1; seed <= SEEDS; seed++) {
      try {
        const result = await new Storm(seed).run();
        for (const name of Object.keys(totals) as (keyof StormResult)[]) totals[name] += result[name];
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
    }
    // The storms are some, and the servers work through them.
    expect(totals.acknowledgements).toBeGreaterThan(SEEDS * 100);
    expect(totals.reads).toBeGreaterThan(SEEDS * 20);
    expect(totals.restarts).toBeGreaterThan(SEEDS * 3);
    expect(totals.installs).toBeGreaterThan(SEEDS / 2);
    expect(totals.refusedStarts).toBeGreaterThan(SEEDS / 10);
  });
});
