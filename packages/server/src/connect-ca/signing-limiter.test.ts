import { FakeClock } from '@lictor/protocol/testing';
import { describe, expect, it } from 'vitest';
import { SigningLimiter } from './signing-limiter.ts';

describe('limits of signing (consul-facts P025)', () => {
  it('let a rate through evenly, and refuse who would wait more than 500 ms', async () => {
    const clock = new FakeClock();
    const limiter = new SigningLimiter(clock);
    const doneAt: number[] = [];
    const limits = { csrMaxPerSecond: 10, csrMaxConcurrent: 0 };
    const runs = Array.from({ length: 8 }, () =>
      limiter.run(limits, async () => doneAt.push(clock.monotonic())).catch((error: Error) => error),
    );
    await clock.advance(1000);
    expect(doneAt).toEqual([0, 100, 200, 300, 400, 500]);
    expect((await Promise.all(runs)).slice(6).map(String)).toEqual([
      'LictorError: Rate limit reached, try again later',
      'LictorError: Rate limit reached, try again later',
    ]);
  });

  it('start anew when the rate is changed', async () => {
    const limiter = new SigningLimiter(new FakeClock());
    await limiter.run({ csrMaxPerSecond: 0.1, csrMaxConcurrent: 0 }, async () => undefined);
    await limiter.run({ csrMaxPerSecond: 50, csrMaxConcurrent: 0 }, async () => undefined);
    await expect(limiter.run({ csrMaxPerSecond: 0.1, csrMaxConcurrent: 0 }, async () => 'done')).resolves.toBe('done');
  });

  it('bound how many run at a time, first come first served', async () => {
    const clock = new FakeClock();
    const limiter = new SigningLimiter(clock);
    const limits = { csrMaxPerSecond: 0, csrMaxConcurrent: 1 };
    const order: string[] = [];
    const first = Promise.withResolvers<void>();
    const runs = [
      limiter.run(limits, () => first.promise),
      limiter.run(limits, async () => void order.push('second')),
      limiter.run(limits, async () => void order.push('third')),
    ];
    await clock.advance(499);
    expect(order).toEqual([]);
    first.resolve();
    await Promise.all(runs);
    expect(order).toEqual(['second', 'third']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('give up waiting for a slot after 500 ms, and do not lose the slot', async () => {
    const clock = new FakeClock();
    const limiter = new SigningLimiter(clock);
    const limits = { csrMaxPerSecond: 0, csrMaxConcurrent: 1 };
    const first = Promise.withResolvers<void>();
    const running = limiter.run(limits, () => first.promise);
    const refused = expect(limiter.run(limits, async () => undefined)).rejects.toThrow('Rate limit reached, try again later');
    await clock.advance(500);
    await refused;
    first.resolve();
    await running;
    await expect(limiter.run(limits, async () => 'done')).resolves.toBe('done');
  });

  it('are off at 0', async () => {
    const limiter = new SigningLimiter(new FakeClock());
    const limits = { csrMaxPerSecond: 0, csrMaxConcurrent: 0 };
    expect((await Promise.all(Array.from({ length: 100 }, () => limiter.run(limits, async () => 1)))).length).toBe(100);
  });
});
