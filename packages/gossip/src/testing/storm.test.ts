import { describe, expect, it } from 'vitest';
import { serversMoved } from './moved.ts';
import { SerfStorm } from './serf-storm.ts';
import { Storm } from './storm.ts';

const SEEDS = Number(process.env['LICTOR_SIM_SEEDS'] ?? 40);
/** For a machine that does other things, too. */
const LIMIT = { timeout: 120_000 };

describe('a pool in a storm', () => {
  it(`takes nobody for dead who is there, and comes right afterwards, for seeds 1 to ${SEEDS}`, LIMIT, () => {
    const totals = { kills: 0, leaves: 0, restarts: 0, partitions: 0, updates: 0 };
    for (let seed = 1; seed <= SEEDS; seed++) {
      try {
        const result = new Storm(seed).run();
        for (const name of Object.keys(totals) as (keyof typeof totals)[]) totals[name] += result[name];
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
    }
    // The storm is one.
    for (const count of Object.values(totals)) expect(count).toBeGreaterThan(SEEDS);
  });

  it(`agrees with serf's layer, too, on who is there, and hears each event once, for seeds 1 to ${SEEDS}`, LIMIT, () => {
    let events = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      try {
        events += new SerfStorm(seed).run();
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
    }
    expect(events).toBeGreaterThan(3 * SEEDS);
  });

  it(`knows within two minutes where servers are that came back under each other's addresses, for seeds 1 to ${SEEDS}`, LIMIT, () => {
    let longestMs = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      try {
        longestMs = Math.max(longestMs, serversMoved(seed));
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
    }
    // Not each story is one without moves.
    expect(longestMs).toBeGreaterThan(10_000);
  });
});
