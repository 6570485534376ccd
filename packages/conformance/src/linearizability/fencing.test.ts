import { describe, expect, it } from 'vitest';
import { checkFencing, type LockHold } from './fencing.ts';

describe('LockIndex as a fencing token', () => {
  it('grows with every acquisition that came after another, and concurrent ones may be told in any order', () => {
    expect(checkFencing([hold('a', 1, 0, 1), hold('b', 2, 2, 3), hold('c', 4, 4, 9), hold('d', 3, 4, 8)])).toEqual([]);
  });

  it('may be told twice to the session that still holds it', () => {
    expect(checkFencing([hold('a', 1, 0, 1), hold('a', 1, 2, 3)])).toEqual([]);
  });

  it('is never shared', () => {
    expect(checkFencing([hold('a', 1, 0, 5), hold('b', 1, 1, 6)])).toEqual([
      "a's lock of k at 5.000 ms with LockIndex 1 and b's lock of k at 6.000 ms with LockIndex 1 have the same LockIndex",
    ]);
  });

  it('never goes back', () => {
    expect(checkFencing([hold('a', 5, 0, 1), hold('b', 4, 2, 3), hold('c', 6, 4, 5)])).toEqual([
      "b's lock of k at 3.000 ms with LockIndex 4 came after a's lock of k at 1.000 ms with LockIndex 5",
    ]);
  });

  it('is per key', () => {
    expect(checkFencing([hold('a', 5, 0, 1), { ...hold('b', 1, 2, 3), key: 'other' }])).toEqual([]);
  });
});

function hold(session: string, lockIndex: number, askedMs: number, acquiredMs: number): LockHold {
  return { key: 'k', client: session, session, lockIndex, askedMs, acquiredMs };
}
