import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expiresSoon, isRenewalDue } from './expiry.ts';

const DAY_MS = 24 * 3600_000;

describe('warning of expiry (consul-facts P031)', () => {
  it('comes 28 days before, or at 60 % of a shorter life', () => {
    expect([expiresSoon(3650 * DAY_MS, 29 * DAY_MS), expiresSoon(3650 * DAY_MS, 27 * DAY_MS)]).toEqual([false, true]);
    expect([expiresSoon(10 * DAY_MS, 4 * DAY_MS), expiresSoon(10 * DAY_MS, 3.9 * DAY_MS)]).toEqual([false, true]);
  });
});

describe('renewal of a root', () => {
  it('is due in the last tenth of ten years', () => {
    expect([isRenewalDue(3650 * DAY_MS, 366 * DAY_MS, 3 * DAY_MS), isRenewalDue(3650 * DAY_MS, 364 * DAY_MS, 3 * DAY_MS)]).toEqual([
      false,
      true,
    ]);
  });

  it('is due earlier when leaves live long', () => {
    expect(isRenewalDue(1000 * DAY_MS, 350 * DAY_MS, 90 * DAY_MS)).toBe(true);
  });

  it('is never due in the first half of a life, so that it cannot chase itself', () => {
    const days = fc.double({ min: 0.1, max: 10_000, noNaN: true });
    fc.assert(
      fc.property(days, days, (lifetime, leafTtl) => {
        expect(isRenewalDue(lifetime * DAY_MS, (lifetime * DAY_MS) / 2, leafTtl * DAY_MS)).toBe(false);
      }),
    );
  });
});
