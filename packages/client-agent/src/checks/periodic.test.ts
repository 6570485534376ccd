import { silentLogger } from '@lictor/protocol';
import { FakeClock, MemoryLogger, seededRandom } from '@lictor/protocol/testing';
import { describe, expect, it } from 'vitest';
import { PeriodicCheck } from './periodic.ts';
import type { ProbeResult } from './runner.ts';

const thresholds = { successBeforePassing: 0, failuresBeforeWarning: 0, failuresBeforeCritical: 0 };

function start(intervalMs: number, probe: (signal: AbortSignal) => Promise<ProbeResult>, logger = silentLogger) {
  const clock = new FakeClock();
  const published: string[] = [];
  const check = new PeriodicCheck({
    checkId: 'c',
    intervalMs,
    thresholds,
    probe,
    publish: (status, output) => published.push(`${status} ${output}`),
    clock,
    random: seededRandom(1),
    logger,
  });
  check.start();
  return { clock, published, check };
}

describe('periodic checks (consul-facts K032)', () => {
  it('looks first at a random point of the interval, then once an interval', async () => {
    let count = 0;
    const { clock, published } = start(10_000, async () => ({ status: 'passing', output: String(++count) }));
    await clock.advance(0);
    expect(published).toEqual([]);
    await clock.advance(10_000);
    expect(published).toEqual(['passing 1']);
    await clock.advance(30_000);
    expect(published).toHaveLength(4);
  });

  it('raises intervals below a second and says so', async () => {
    const logger = new MemoryLogger();
    let count = 0;
    const { clock } = start(10, async () => ({ status: 'passing', output: String(++count) }), logger);
    await clock.advance(3_000);
    expect(count).toBeLessThanOrEqual(3);
    expect(logger.lines[0]?.message).toBe('check has interval below minimum');
  });

  it('never probes twice at once, and counts the interval from the end of a probe', async () => {
    let running = 0;
    let most = 0;
    let finish = (): void => undefined;
    const { clock } = start(1_000, async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise<void>((resolve) => (finish = resolve));
      running -= 1;
      return { status: 'passing', output: '' };
    });
    await clock.advance(60_000);
    expect([running, most]).toEqual([1, 1]);
    finish();
    await clock.advance(2_000);
    expect(most).toBe(1);
  });

  it('looks at once when asked to', async () => {
    const { clock, published, check } = start(3_600_000, async () => ({ status: 'passing', output: 'now' }));
    check.runNow();
    await clock.advance(0);
    expect(published).toEqual(['passing now']);
  });

  it('looks once more when it was asked to while it looked', async () => {
    const finish: (() => void)[] = [];
    const { clock, check } = start(3_600_000, async () => {
      await new Promise<void>((resolve) => finish.push(resolve));
      return { status: 'passing', output: '' };
    });
    check.runNow();
    check.runNow();
    check.runNow();
    finish[0]?.();
    await clock.advance(0);
    expect(finish).toHaveLength(2);
    finish[1]?.();
    await clock.advance(0);
    expect(finish).toHaveLength(2);
    check.stop();
  });

  it('turns a probe that throws into a critical result', async () => {
    const { clock, published } = start(1_000, () => Promise.reject(new Error('boom')));
    await clock.advance(1_000);
    expect(published).toEqual(['critical boom']);
  });

  it('publishes nothing once stopped, ends the probe under way and leaves no timer', async () => {
    let seen: AbortSignal | undefined;
    const { clock, published, check } = start(1_000, async (signal) => {
      seen = signal;
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      return { status: 'passing', output: '' };
    });
    await clock.advance(1_000);
    check.stop();
    await clock.advance(10_000);
    expect(seen?.aborted).toBe(true);
    expect(published).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });
});
