import { LictorError } from '@lictor/protocol';
import { seededRandom } from '@lictor/protocol/testing';
import { describe, expect, it } from 'vitest';
import { FULL_SYNC_INTERVAL_MS, scaleFactor, SyncSchedule } from './schedule.ts';

function started(): SyncSchedule {
  const schedule = new SyncSchedule(seededRandom(1), () => 1);
  schedule.start();
  return schedule;
}

describe('the rhythm of anti-entropy (consul-facts T004)', () => {
  it.each([
    [1, 1],
    [128, 1],
    [129, 2],
    [256, 2],
    [8192, 7],
  ])('in a cluster of %d nodes full syncs are %d times as far apart', (nodes, factor) => {
    expect(scaleFactor(nodes)).toBe(factor);
  });

  it('begins with a full sync and repeats it after one to two intervals', () => {
    const schedule = new SyncSchedule(seededRandom(1), () => 1);
    expect(schedule.start()).toEqual({ run: 'full' });
    const { wakeAtMs = 0 } = schedule.done(1_000);
    expect(wakeAtMs).toBeGreaterThanOrEqual(1_000 + FULL_SYNC_INTERVAL_MS);
    expect(wakeAtMs).toBeLessThanOrEqual(1_000 + 2 * FULL_SYNC_INTERVAL_MS);
    expect(schedule.due(wakeAtMs - 1)).toEqual({});
    expect(schedule.due(wakeAtMs)).toEqual({ run: 'full' });
  });

  it('syncs a change at once, and what changed meanwhile right after', () => {
    const schedule = started();
    schedule.done(0);
    expect(schedule.dirty()).toEqual({ run: 'partial' });
    expect(schedule.dirty()).toEqual({});
    expect(schedule.done(10, 60_000)).toEqual({ run: 'partial' });
    expect(schedule.done(20, 60_000)).toEqual({ wakeAtMs: 60_000 });
  });

  it('retries a failure with a full sync after 15 to 30 seconds, whatever changes until then', () => {
    const schedule = started();
    const { wakeAtMs = 0 } = schedule.failed(0, new Error('away'));
    expect(wakeAtMs).toBeGreaterThanOrEqual(15_000);
    expect(wakeAtMs).toBeLessThanOrEqual(30_000);
    expect(schedule.dirty()).toEqual({});
    expect(schedule.due(wakeAtMs)).toEqual({ run: 'full' });
  });

  it('does not wait so long for an election', () => {
    const { wakeAtMs = 0 } = started().failed(0, new LictorError('no-leader', 'No cluster leader'));
    expect(wakeAtMs).toBeLessThanOrEqual(1_000);
  });

  it('does nothing once stopped', () => {
    const schedule = started();
    schedule.stop();
    expect(schedule.done(0)).toEqual({});
    expect(schedule.dirty()).toEqual({});
    expect(schedule.due(1e9)).toEqual({});
  });
});
