import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IdlePool, type PoolLimits } from './idle-pool.ts';

const LIMITS: PoolLimits = { maxIdlePerInstance: 3, maxIdle: 5, idleTimeoutMs: 100 };

/** The same, as a plain list. */
class NaivePool {
  #idle: { key: string; item: number; sinceMs: number }[] = [];

  take(key: string): number | undefined {
    const index = this.#idle.findLastIndex((idle) => idle.key === key);
    return index < 0 ? undefined : this.#idle.splice(index, 1)[0]?.item;
  }
  put(key: string, item: number, nowMs: number): boolean {
    if (this.#idle.length >= LIMITS.maxIdle || this.#idle.filter((idle) => idle.key === key).length >= LIMITS.maxIdlePerInstance)
      return false;
    this.#idle.push({ key, item, sinceMs: nowMs });
    return true;
  }
  remove(key: string, item: number): void {
    this.#idle = this.#idle.filter((idle) => idle.key !== key || idle.item !== item);
  }
  expire(nowMs: number): number[] {
    const old = this.#idle.filter((idle) => nowMs - idle.sinceMs >= LIMITS.idleTimeoutMs);
    this.#idle = this.#idle.filter((idle) => !old.includes(idle));
    return old.map(({ item }) => item);
  }
  get size(): number {
    return this.#idle.length;
  }
}

const step = fc.oneof(
  fc.record({ kind: fc.constant('take' as const), key: fc.constantFrom('a', 'b', 'c') }),
  fc.record({ kind: fc.constant('put' as const), key: fc.constantFrom('a', 'b', 'c') }),
  fc.record({ kind: fc.constant('remove' as const), key: fc.constantFrom('a', 'b', 'c'), item: fc.nat(30) }),
  fc.record({ kind: fc.constant('expire' as const), afterMs: fc.nat(120) }),
);

describe('the pool of idle connections', () => {
  it('agrees with a naive twin', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const pool = new IdlePool<number>(LIMITS);
        const naive = new NaivePool();
        let nowMs = 0;
        let item = 0;
        for (const next of steps) {
          nowMs++;
          if (next.kind === 'take') expect(pool.take(next.key)).toBe(naive.take(next.key));
          else if (next.kind === 'put') expect(pool.put(next.key, ++item, nowMs)).toBe(naive.put(next.key, item, nowMs));
          else if (next.kind === 'remove') {
            pool.remove(next.key, next.item);
            naive.remove(next.key, next.item);
          } else {
            nowMs += next.afterMs;
            expect(pool.expire(nowMs).sort((a, b) => a - b)).toEqual(naive.expire(nowMs).sort((a, b) => a - b));
          }
          expect(pool.size).toBe(naive.size);
        }
      }),
    );
  });

  it('gives everything back when it is cleared', () => {
    const pool = new IdlePool<number>(LIMITS);
    pool.put('a', 1, 0);
    pool.put('b', 2, 0);
    expect(pool.clear().sort((a, b) => a - b)).toEqual([1, 2]);
    expect(pool.size).toBe(0);
    expect(pool.take('a')).toBeUndefined();
  });
});
