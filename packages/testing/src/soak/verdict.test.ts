import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasGrown, judge, type Sample } from './verdict.ts';

const EVERY_MS = 10_000;

/** Of `count` samples, each as the function of its position says. */
function samples(count: number, at: (position: number) => Partial<Sample>): Sample[] {
  return Array.from({ length: count }, (_, position) => ({ atMs: position * EVERY_MS, rssMib: 100, handles: 50, ...at(position) }));
}

describe('the judgement of a soak', () => {
  it('finds what grows without end, whatever it is', () => {
    for (const what of ['rssMib', 'heapMib', 'handles', 'timers'] as const) {
      const verdict = judge(
        'leaky',
        samples(60, (position) => ({ [what]: 100 + 3 * position })),
        60_000,
      );
      expect([what, hasGrown(verdict), verdict.trends[what]?.isGrowing]).toEqual([what, true, true]);
      expect(verdict.trends[what]?.perHour).toBeCloseTo(1080, 6);
    }
  });

  it('takes what has warmed up and stays there for a plateau', () => {
    expect(
      hasGrown(
        judge(
          'warm',
          samples(60, (position) => ({ heapMib: Math.min(80, 20 + 10 * position) })),
          60_000,
        ),
      ),
    ).toBe(false);
    // Even where it is not there yet when the warm-up ends.
    expect(
      hasGrown(
        judge(
          'late',
          samples(90, (position) => ({ heapMib: Math.min(40, 20 + position / 2) })),
          60_000,
        ),
      ),
    ).toBe(false);
  });

  it('never takes noise for growth', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 30, maxLength: 200 }), (noise) => {
        const steady = samples(noise.length, (position) => ({
          heapMib: 40 + 3 * (noise[position] ?? 0),
          rssMib: 120 + 20 * (noise[position] ?? 0),
          handles: 60 + Math.round(10 * (noise[position] ?? 0)),
        }));
        expect(hasGrown(judge('steady', steady, 60_000))).toBe(false);
      }),
    );
  });

  it('finds a leak in noise', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 60, maxLength: 200 }), (noise) => {
        const leaky = samples(noise.length, (position) => ({ heapMib: 40 + 3 * (noise[position] ?? 0) + position / 3 }));
        expect(hasGrown(judge('leaky', leaky, 60_000))).toBe(true);
      }),
    );
  });

  it('says nothing of what did not live long enough', () => {
    expect(
      judge(
        'short',
        samples(12, (position) => ({ heapMib: 100 * position })),
        60_000,
      ).isTooShort,
    ).toBe(true);
    expect(judge('none', [], 60_000)).toMatchObject({ isTooShort: true, minutes: 0 });
  });
});
