import { describe, expect, it } from 'vitest';
import { LictorError } from '../errors.ts';
import { FakeClock } from '../testing/index.ts';
import { Patience } from './patience.ts';

const OPTIONS = { holdMs: 7_000, defaultWaitMs: 300_000, maxWaitMs: 600_000 };
const BLOCKING = { minIndex: 1 };
const unreachable = new LictorError('unavailable', 'i/o timeout');
const lostAnswer = new LictorError('outcome-unknown', 'connection lost');

/** Attempts of `attemptMs` each that all fail so. @returns after how long nobody tries any more, ms */
async function giveUpAfterMs(query: { minIndex?: number }, attemptMs: number, failure: LictorError | undefined): Promise<number> {
  const clock = new FakeClock();
  const startMs = clock.monotonic();
  const patience = new Patience(clock, OPTIONS, query);
  for (;;) {
    if (failure !== undefined) patience.attempt({ query });
    await clock.advance(attemptMs);
    if (patience.restMs(failure) === 0) return clock.monotonic() - startMs;
  }
}

describe('the patience of a call (consul-facts T015)', () => {
  it('looks for a server during rpc_hold_timeout', async () => {
    expect(await giveUpAfterMs({}, 500, unreachable)).toBe(7_000);
    expect(await giveUpAfterMs({}, 500, undefined)).toBe(7_000);
    expect(await giveUpAfterMs({}, 3_000, lostAnswer)).toBe(9_000);
  });

  it('is no longer for a blocking query that reaches nobody, however slowly that fails', async () => {
    for (const attemptMs of [500, 1_000, 3_000]) {
      for (const failure of [unreachable, undefined])
        expect(await giveUpAfterMs(BLOCKING, attemptMs, failure)).toBeLessThan(7_000 + attemptMs);
    }
  });

  it('begins anew when a blocking query loses a server that had it wait, until its own time is over', async () => {
    expect(await giveUpAfterMs(BLOCKING, 20_000, lostAnswer)).toBe(320_000);
  });

  it('asks others, for a minute, what servers took along that went silent', async () => {
    expect(await giveUpAfterMs({}, 15_000, lostAnswer)).toBe(75_000);
    expect(await giveUpAfterMs({}, 15_000, unreachable)).toBe(15_000);
  });
});
