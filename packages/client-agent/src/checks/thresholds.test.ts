import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CheckUpdateStatus } from '../contracts/index.ts';
import { Thresholds } from './thresholds.ts';

const run = (
  options: ConstructorParameters<typeof Thresholds>[0],
  results: readonly CheckUpdateStatus[],
): (CheckUpdateStatus | undefined)[] => {
  const thresholds = new Thresholds(options);
  return results.map((result) => thresholds.next(result));
};

describe('status thresholds (consul-facts K032)', () => {
  it('publishes everything without thresholds', () => {
    const none = { successBeforePassing: 0, failuresBeforeWarning: 0, failuresBeforeCritical: 0 };
    expect(run(none, ['passing', 'critical', 'warning', 'passing'])).toEqual(['passing', 'critical', 'warning', 'passing']);
  });

  it('waits for successes in a row, a failure starts the count again', () => {
    const options = { successBeforePassing: 2, failuresBeforeWarning: 0, failuresBeforeCritical: 0 };
    expect(run(options, ['critical', 'passing', 'critical', 'passing', 'passing'])).toEqual([
      'critical',
      undefined,
      'critical',
      undefined,
      'passing',
    ]);
  });

  it('goes through warning on the way to critical', () => {
    const options = { successBeforePassing: 0, failuresBeforeWarning: 1, failuresBeforeCritical: 3 };
    expect(run(options, ['passing', 'critical', 'critical', 'critical'])).toEqual(['passing', 'warning', 'warning', 'critical']);
  });

  it('believes the first result of either kind', () => {
    const options = { successBeforePassing: 3, failuresBeforeWarning: 2, failuresBeforeCritical: 3 };
    expect(run(options, ['passing'])).toEqual(['passing']);
    expect(run(options, ['critical'])).toEqual(['critical']);
  });

  it('never skips a threshold: critical is only said after so many failures in a row', () => {
    const results = fc.array(fc.constantFrom<CheckUpdateStatus>('passing', 'warning', 'critical'), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(results, fc.integer({ min: 1, max: 4 }), (sequence, limit) => {
        const published = run({ successBeforePassing: 0, failuresBeforeWarning: 0, failuresBeforeCritical: limit }, [
          'passing',
          ...sequence,
        ]).slice(1);
        published.forEach((status, position) => {
          const recent = sequence.slice(Math.max(0, position - limit + 1), position + 1);
          const isEarned = recent.length === limit && recent.every((result) => result === 'critical');
          if (sequence[position] === 'critical') expect(status).toBe(isEarned ? 'critical' : undefined);
        });
      }),
    );
  });
});
