import { describe, expect, it } from 'vitest';
import { FakeClock, seededRandom } from '../testing/index.ts';
import { doneWithin } from './clock.ts';
import { shuffle, shuffled } from './random.ts';

describe('work that is waited for no longer than so long', () => {
  it('is done, or late; and no timer is left', async () => {
    const clock = new FakeClock();
    expect(await doneWithin(clock, 1000, Promise.resolve('value'))).toBe(true);
    const late = doneWithin(clock, 1000, new Promise(() => undefined));
    await clock.advance(999);
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(1);
    expect([await late, clock.pendingTimers]).toEqual([false, 0]);
  });

  it('fails as the work does, in time; a failure that comes late is nobody’s', async () => {
    const clock = new FakeClock();
    await expect(doneWithin(clock, 1000, Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    const { promise, reject } = Promise.withResolvers<void>();
    const late = doneWithin(clock, 1000, promise);
    await clock.advance(1000);
    expect(await late).toBe(false);
    reject(new Error('too late'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('a shuffle', () => {
  it('keeps what there is, in any order, each about as often', () => {
    const random = seededRandom(1);
    const orders = new Map<string, number>();
    for (let round = 0; round < 6000; round++) {
      const order = shuffled(['a', 'b', 'c'], random).join('');
      orders.set(order, (orders.get(order) ?? 0) + 1);
    }
    expect([...orders.keys()].toSorted()).toEqual(['abc', 'acb', 'bac', 'bca', 'cab', 'cba']);
    for (const count of orders.values()) expect(count).toBeGreaterThan(850);
  });

  it('is of the items themselves, or of a copy', () => {
    const items = Array.from({ length: 50 }, (_, number) => number);
    const copy = shuffled(items, seededRandom(2));
    expect([items[0], items.at(-1)]).toEqual([0, 49]);
    shuffle(items, seededRandom(2));
    expect(items).toEqual(copy);
  });
});
