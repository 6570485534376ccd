import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BroadcastQueue } from './broadcast-queue.ts';
import type { Message } from './message.ts';

interface Slow {
  readonly key: string | undefined;
  readonly message: Message;
  readonly bytes: number;
  transmits: number;
  /** Of its last move. */
  order: number;
}

/** The same by looking at everything each time. */
class NaiveQueue {
  #items: Slow[] = [];
  #order = 0;

  push(message: Message, bytes: number, key?: string): void {
    if (key !== undefined) this.#items = this.#items.filter((item) => item.key !== key);
    this.#items.push({ key, message, bytes, transmits: 0, order: this.#order++ });
  }

  take(budget: number, limit: number): Message[] {
    const sorted = this.#items.toSorted((one, other) => one.transmits - other.transmits || one.order - other.order);
    let left = budget;
    const taken = sorted.filter(({ bytes }) => {
      if (bytes > left) return false;
      left -= bytes;
      return true;
    });
    for (const item of taken) {
      item.transmits++;
      item.order = this.#order++;
    }
    this.#items = this.#items.filter(({ transmits }) => transmits < limit);
    return taken.map(({ message }) => message);
  }

  get size(): number {
    return this.#items.length;
  }
}

const nack = (seq: number): Message => ({ type: 'nack', seq });
const step = fc.oneof(
  fc.record({ push: fc.integer({ min: 1, max: 60 }), key: fc.option(fc.constantFrom('a', 'b', 'c', 'd'), { nil: undefined }) }),
  fc.record({ take: fc.integer({ min: 0, max: 200 }) }),
);

describe('the queue of rumours', () => {
  it('does what one does that looks at everything', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.array(step, { maxLength: 80 }), (limit, steps) => {
        const [queue, naive] = [new BroadcastQueue(1000), new NaiveQueue()];
        steps.forEach((each, seq) => {
          if ('push' in each) {
            const message = nack(seq);
            queue.push(message, each.push, each.key);
            naive.push(message, each.push, each.key);
          } else expect(queue.take(each.take, limit)).toEqual(naive.take(each.take, limit));
          expect(queue.size).toBe(naive.size);
        });
      }),
    );
  });

  it('when it is full drops what was sent most often', () => {
    const queue = new BroadcastQueue(3);
    for (const seq of [1, 2, 3]) queue.push(nack(seq), 10);
    expect(queue.take(10, 9)).toEqual([nack(1)]);
    expect(queue.push(nack(4), 10)).toBe(true);
    expect(queue.take(1000, 9)).toEqual([nack(2), nack(3), nack(4)]);
  });
});
