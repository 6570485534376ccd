import { describe, expect, it } from 'vitest';
import { Simulation } from './simulation.ts';

const SEEDS = Number(process.env['LICTOR_SIM_SEEDS'] ?? 60);

describe('a cluster in a storm', () => {
  it(`keeps every promise of Raft and converges once healed, for seeds 1 to ${SEEDS}`, () => {
    const totals = { committed: 0, elections: 0, leaseReads: 0, membershipChanges: 0, crashes: 0 };
    for (let seed = 1; seed <= SEEDS; seed++) {
      try {
        const result = new Simulation({ seed, stormMs: 10_000 }).run();
        for (const name of Object.keys(totals) as (keyof typeof totals)[]) totals[name] += result[name];
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
    }
    // The storm is one, and the cluster works through it.
    expect(totals.committed).toBeGreaterThan(SEEDS * 50);
    expect(totals.elections).toBeGreaterThan(SEEDS);
    expect(totals.leaseReads).toBeGreaterThan(SEEDS * 20);
    expect(totals.membershipChanges).toBeGreaterThan(SEEDS / 4);
    expect(totals.crashes).toBeGreaterThan(SEEDS);
  });

  it('is the same for the same seed, to the last applied entry', () => {
    const traces = [7, 7, 8].map((seed) => new Simulation({ seed, stormMs: 5000 }).run().trace);
    expect(traces[0]).toBe(traces[1]);
    expect(traces[0]).not.toBe(traces[2]);
  });
});
