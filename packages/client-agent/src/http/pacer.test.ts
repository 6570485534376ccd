import { describe, expect, it } from 'vitest';
import { Pacer } from './pacer.ts';

describe('answering many waiters', () => {
  it('lets the event loop in after each portion, in order, and forgets nobody', async () => {
    const turns: (() => void)[] = [];
    const pacer = new Pacer((callback) => turns.push(callback));
    const answered: number[] = [];
    const all = Array.from({ length: 200 }, async (_, waiter) => {
      await pacer.turn();
      answered.push(waiter);
    });
    await Promise.resolve();
    const portions: number[] = [];
    while (turns.length > 0) {
      portions.push(answered.length);
      turns.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(all);
    expect(portions).toEqual([64, 128, 192, 200]);
    expect(answered).toEqual(Array.from({ length: 200 }, (_, waiter) => waiter));
  });

  it('does not delay those who come alone', () => {
    const pacer = new Pacer(() => undefined);
    expect(pacer.turn()).toBeUndefined();
  });
});
