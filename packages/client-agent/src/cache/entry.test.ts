import { LictorError, type QueryMeta } from '@lictor/protocol';
import { describe, expect, it } from 'vitest';
import { TEST_META } from '../testing/server-port.ts';
import { CacheEntry } from './entry.ts';

const meta = (index: number): QueryMeta => ({ ...TEST_META, index });
const away = new LictorError('unavailable', 'away');
const denied = new LictorError('permission-denied', 'Permission denied');

function filled(index = 5): CacheEntry {
  const entry = new CacheEntry(true);
  entry.request(0, false);
  entry.reply(0, 'v', meta(index));
  return entry;
}

describe('a cache entry (design.md section 4)', () => {
  it('fetches on the first request only', () => {
    const entry = new CacheEntry(true);
    expect(entry.request(0, false)).toEqual({ fetchMinIndex: 0 });
    expect(entry.request(1, false)).toEqual({});
  });

  it('keeps itself fresh by a blocking query behind what it has', () => {
    const entry = new CacheEntry(true);
    entry.request(0, false);
    expect(entry.reply(0, 'a', meta(5))).toEqual({ fetchMinIndex: 5, hasNews: true });
    expect(entry.reply(2_000, 'b', meta(6))).toEqual({ fetchMinIndex: 6, hasNews: true });
    expect(entry.known?.value).toBe('b');
  });

  it('keeps the very object while the index stays the same', () => {
    const entry = new CacheEntry(true);
    const first = { a: 1 };
    entry.request(0, false);
    entry.reply(0, first, meta(5));
    expect(entry.reply(600_000, { a: 1 }, meta(5))).toEqual({ fetchMinIndex: 5, hasNews: false });
    expect(entry.known?.value).toBe(first);
  });

  it('pauses when a query does not block, instead of asking in a loop', () => {
    const entry = filled();
    expect(entry.reply(1, 'v', meta(5))).toEqual({ wakeAtMs: 1_001 });
    expect(entry.retryDue(1_000)).toEqual({});
    expect(entry.retryDue(1_001)).toEqual({ fetchMinIndex: 5 });
  });

  it('starts again from 0 when the index goes back, as after a restore', () => {
    const entry = filled(50);
    expect(entry.reply(5_000, 'restored', meta(3))).toEqual({ fetchMinIndex: 0, hasNews: true });
    expect(entry.known?.value).toBe('restored');
  });

  it('keeps the last good value through an outage, with growing waits and growing age', () => {
    const entry = filled();
    const waits: number[] = [];
    let nowMs = 10_000;
    for (let round = 0; round < 12; round++) {
      const { wakeAtMs = 0 } = entry.error(nowMs, away);
      waits.push(wakeAtMs - nowMs);
      nowMs = wakeAtMs;
      expect(entry.known?.value).toBe('v');
      expect(entry.retryDue(nowMs)).toEqual({ fetchMinIndex: 5, isProbe: true });
    }
    expect(waits.slice(0, 2)).toEqual([1_000, 1_000]);
    expect(Math.max(...waits)).toBe(60_000);
    expect(entry.ageMs(nowMs)).toBe(nowMs - 10_000);
    // A query that is silent for so long has reached the servers.
    expect(entry.ageMs(nowMs + 31_001)).toBe(0);
    entry.reply(nowMs + 40_000, 'w', meta(6));
    expect(entry.ageMs(nowMs + 50_000)).toBe(0);
  });

  it('believes a denial for a second at most, and forgets what the token could see', () => {
    const entry = filled();
    expect(entry.error(1_000, denied)).toEqual({ failure: denied });
    expect(entry.known).toBeUndefined();
    expect(entry.request(1_999, false)).toEqual({});
    expect(entry.state.kind).toBe('denied');
    expect(entry.request(2_000, false)).toEqual({ fetchMinIndex: 0 });
  });

  it('reports the failure of a first fetch and tries again for the next caller', () => {
    const entry = new CacheEntry(true);
    entry.request(0, false);
    expect(entry.error(1, away)).toEqual({ failure: away });
    expect(entry.request(2, false)).toEqual({ fetchMinIndex: 0 });
  });

  it('refetches a simple type only when its caller finds it too old', () => {
    const entry = new CacheEntry(false);
    entry.request(0, false);
    expect(entry.reply(0, 'a', meta(1))).toEqual({ hasNews: true });
    expect(entry.request(5_000, false)).toEqual({});
    expect(entry.ageMs(5_000)).toBe(5_000);
    expect(entry.request(6_000, true)).toEqual({ fetchMinIndex: 0 });
  });

  it('does nothing any more once expired', () => {
    const entry = filled();
    entry.expire();
    expect(entry.reply(1, 'late', meta(9))).toEqual({});
    expect(entry.error(1, away)).toEqual({});
    expect(entry.known).toBeUndefined();
  });
});
