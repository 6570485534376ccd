import { afterEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from './clock.ts';

afterEach(() => void vi.useRealTimers());

describe('the system clock', () => {
  it('is never early, not by a fraction of a millisecond: who is woken compares with the time for which that was asked', async () => {
    const delays = Array.from({ length: 400 }, (_, number) => (number % 40) + number / 400);
    const late = delays.map(
      (delayMs) =>
        new Promise<number>((resolve) => {
          const dueMs = systemClock.monotonic() + delayMs;
          systemClock.setTimer(delayMs, () => resolve(systemClock.monotonic() - dueMs));
        }),
    );
    const keepsAlive = setInterval(() => undefined, 10);
    expect((await Promise.all(late)).filter((lateMs) => lateMs < 0)).toEqual([]);
    clearInterval(keepsAlive);
  });

  it('waits longer than Node can at once', () => {
    vi.useFakeTimers();
    let calls = 0;
    systemClock.setTimer(40 * 24 * 3_600_000, () => calls++);
    vi.advanceTimersByTime(39 * 24 * 3_600_000);
    expect(calls).toBe(0);
    vi.advanceTimersByTime(2 * 24 * 3_600_000);
    expect(calls).toBe(1);
  });

  it('does not call back after `cancel`, also when it has been set again', () => {
    vi.useFakeTimers();
    let calls = 0;
    const timer = systemClock.setTimer(40 * 24 * 3_600_000, () => calls++);
    vi.advanceTimersByTime(30 * 24 * 3_600_000);
    timer.cancel();
    vi.advanceTimersByTime(30 * 24 * 3_600_000);
    expect(calls).toBe(0);
  });
});
