import { describe, expect, it } from 'vitest';
import { checkKey } from './check-key.ts';
import { absent, cas, done, get, history, type Line, put, refused, remove, shows } from './testing/history.ts';
import { naiveCheckKey } from './testing/naive-check.ts';

/** Known histories, judged by the checker and by its naive twin. */
const good: Record<string, Line[]> = {
  'nothing at all': [],
  'a read of what was written before': [
    [0, 1, 'a', put('x'), done],
    [2, 3, 'b', get, shows('x', 7)],
  ],
  'concurrent reads that see either side of a write': [
    [0, 10, 'a', put('x'), done],
    [1, 9, 'b', get, absent],
    [1, 9, 'c', get, shows('x', 7)],
  ],
  'intervals that touch are concurrent': [
    [0, 5, 'a', put('x'), done],
    [5, 6, 'b', get, absent],
  ],
  'a write of unknown fate seen much later': [
    [0, 0, 'a', put('x')],
    [10, 11, 'b', get, absent],
    [90, 91, 'b', get, shows('x', 7)],
  ],
  'a write of unknown fate never seen': [
    [0, 0, 'a', put('x')],
    [10, 11, 'b', put('y'), done],
    [12, 13, 'b', get, shows('y', 7)],
  ],
  'a cas of unknown fate that others see': [
    [0, 1, 'a', put('x'), done],
    [2, 3, 'a', get, shows('x', 7)],
    [4, 4, 'a', cas(7, 'y')],
    [5, 6, 'b', cas(7, 'z'), refused],
    [7, 8, 'b', get, shows('y', 9)],
  ],
  'two of unknown fate, the second built on the first': [
    [0, 1, 'a', put('x'), done],
    [2, 3, 'a', get, shows('x', 7)],
    [4, 4, 'a', cas(7, 'y')],
    [5, 5, 'b', cas(9, 'z')],
    [6, 7, 'c', get, shows('z', 12)],
  ],
  'a cas that creates, one that comes too late': [
    [0, 1, 'a', cas(0, 'x'), done],
    [2, 3, 'b', cas(0, 'y'), refused],
    [4, 5, 'b', get, shows('x')],
  ],
  'a cas on a write that nobody has read': [
    [0, 1, 'a', put('x'), done],
    [2, 3, 'b', cas(7, 'y'), done],
    [4, 5, 'c', get, shows('y', 8)],
  ],
  'delete, also by index, also of nothing': [
    [0, 1, 'a', put('x'), done],
    [2, 3, 'a', get, shows('x', 7)],
    [4, 5, 'b', remove(6), refused],
    [6, 7, 'b', remove(7), done],
    [8, 9, 'b', remove(7), done],
    [10, 11, 'c', get, absent],
    [12, 13, 'c', remove(), done],
  ],
  'a write that changes nothing may keep the index (Consul, kvs set)': [
    [0, 1, 'a', put('x'), done],
    [2, 3, 'a', get, shows('x', 7)],
    [4, 5, 'a', put('x'), done],
    [6, 7, 'a', get, shows('x', 7)],
  ],
};

const bad: Record<string, Line[]> = {
  'a stale read': [
    [0, 1, 'a', put('x'), done],
    [2, 3, 'a', put('y'), done],
    [4, 5, 'b', get, shows('x')],
  ],
  'a lost write': [
    [0, 1, 'a', put('x'), done],
    [2, 3, 'b', get, absent],
  ],
  'a read of what was never written': [
    [0, 1, 'a', put('x'), done],
    [2, 3, 'b', get, shows('ghost')],
  ],
  'a read before the write was asked for': [
    [0, 1, 'a', get, shows('x')],
    [2, 3, 'b', put('x'), done],
  ],
  'reads that go back while the write goes on': [
    [0, 100, 'a', put('x'), done],
    [10, 11, 'b', get, shows('x')],
    [20, 21, 'c', get, absent],
  ],
  'both of two cas on one index applied (split brain)': [
    [0, 1, 'a', put('x'), done],
    [2, 3, 'a', get, shows('x', 7)],
    [4, 9, 'a', cas(7, 'y'), done],
    [4, 9, 'b', cas(7, 'z'), done],
  ],
  'a lost update: a cas on an index that another write had replaced': [
    [0, 1, 'a', put('x'), done],
    [2, 3, 'a', get, shows('x', 7)],
    [4, 5, 'b', put('y'), done],
    [6, 7, 'b', get, shows('y', 8)],
    [8, 9, 'a', cas(7, 'z'), done],
  ],
  'a cas refused although nothing came between': [
    [0, 1, 'a', put('x'), done],
    [2, 3, 'a', get, shows('x', 7)],
    [4, 5, 'a', cas(7, 'y'), refused],
  ],
  'two creations of one key': [
    [0, 5, 'a', cas(0, 'x'), done],
    [0, 5, 'b', cas(0, 'y'), done],
  ],
  'a write of unknown fate applied twice': [
    [0, 0, 'a', put('x')],
    [10, 11, 'b', get, shows('x')],
    [12, 13, 'b', put('y'), done],
    [14, 15, 'b', get, shows('x')],
  ],
  'a write of unknown fate that comes and goes': [
    [0, 0, 'a', put('x')],
    [10, 11, 'b', get, shows('x')],
    [12, 13, 'b', get, absent],
  ],
  'one value under two indexes': [
    [0, 1, 'a', put('x'), done],
    [2, 3, 'b', get, shows('x', 7)],
    [4, 5, 'c', get, shows('x', 8)],
  ],
  'an index that goes back': [
    [0, 1, 'a', put('x'), done],
    [2, 3, 'b', get, shows('x', 7)],
    [4, 5, 'a', put('y'), done],
    [6, 7, 'b', get, shows('y', 6)],
  ],
  'a deleted key that is back': [
    [0, 1, 'a', put('x'), done],
    [2, 3, 'a', remove(), done],
    [4, 5, 'b', get, shows('x')],
  ],
  'a delete by index that ignored it': [
    [0, 1, 'a', put('x'), done],
    [2, 3, 'a', get, shows('x', 7)],
    [4, 5, 'b', remove(6), done],
  ],
};

describe('what is linearizable', () => {
  it.each(Object.entries(good))('%s', (_, lines) => {
    expect(checkKey(history(...lines))).toEqual({ linearizable: true });
    expect(naiveCheckKey(history(...lines))).toBe(true);
  });
});

describe('what is not', () => {
  it.each(Object.entries(bad))('%s', (_, lines) => {
    expect(checkKey(history(...lines)).linearizable).toBe(false);
    expect(naiveCheckKey(history(...lines))).toBe(false);
  });

  it('is shown as the shortest prefix that cannot be: up to the first answer that nothing explains', () => {
    const operations = history(
      [0, 1, 'a', put('x'), done],
      [2, 9, 'b', put('y'), done],
      [3, 4, 'c', get, shows('y')],
      [5, 6, 'd', get, shows('x')],
      [7, 8, 'e', get, shows('nonsense')],
    );
    const verdict = checkKey(operations);
    if (verdict.linearizable) throw new Error('it must not be');
    expect(verdict.failure.operation).toBe(operations[3]);
    expect(verdict.failure.prefix).toEqual(operations.slice(0, 4));
    expect(verdict.failure.states.map(({ value }) => value)).toEqual(['y']);
  });
});

it('follows 60 writes of unknown fate on one key', () => {
  const lost = Array.from({ length: 60 }, (_, i): Line => [i, i, `u${i}`, put(`u${i}`)]);
  const reads = [3, 17, 59].map((i): Line => [100 + i, 100.5 + i, 'r', get, shows(`u${i}`, 100 + i)]);
  const more = Array.from({ length: 50 }, (_, i): Line => [200 + i, 201 + i, `w${i % 3}`, put(`w${i}`), done]);
  expect(checkKey(history(...lost, ...reads, ...more)).linearizable).toBe(true);
  const back: Line = [300, 301, 'r', get, shows('u17', 300)];
  expect(checkKey(history(...lost, ...reads, ...more, back)).linearizable).toBe(false);
});
