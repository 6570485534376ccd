import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Progress } from './progress.ts';

describe('what a leader knows of a follower (Raft 5.3)', () => {
  it('probes with one append at a time until they meet', () => {
    const progress = new Progress(10, 0);
    progress.sent(9, 0);
    expect(progress.isPaused(8, 1000)).toBe(true);
    expect(progress.rejected(9, 4)).toBe(true);
    expect([progress.next, progress.isPaused(8, 1000)]).toEqual([5, false]);
  });

  it('ignores a rejection of something that was asked long ago', () => {
    const progress = new Progress(10, 0);
    progress.rejected(9, 4);
    expect(progress.rejected(9, 2)).toBe(false);
    expect(progress.next).toBe(5);
    progress.acknowledged(7);
    progress.becomeReplicate();
    expect(progress.rejected(7, 0)).toBe(false);
    expect([progress.state, progress.next]).toEqual(['replicate', 8]);
  });

  it('goes on from the last match when a gap shows while it replicates', () => {
    const progress = new Progress(1, 0);
    progress.acknowledged(3);
    progress.becomeReplicate();
    progress.sent(5, 10);
    progress.sent(7, 10);
    expect(progress.rejected(5, 3)).toBe(true);
    expect([progress.state, progress.next]).toEqual(['probe', 4]);
  });

  it('pauses at either limit, and goes on when answers or heartbeats come', () => {
    const progress = new Progress(1, 0);
    progress.becomeReplicate();
    progress.sent(1, 60);
    expect([progress.isPaused(2, 61), progress.isPaused(1, 100), progress.isPaused(2, 60)]).toEqual([false, true, true]);
    progress.sent(2, 60);
    progress.acknowledged(1);
    expect(progress.isPaused(2, 61)).toBe(false);
    progress.sent(3, 1);
    expect(progress.isPaused(2, 1000)).toBe(true);
    progress.wayIsOpen(2);
    expect(progress.isPaused(2, 1000)).toBe(false);
  });

  it('sends nothing during a snapshot, goes on behind it, and from the match when it failed', () => {
    const arrived = new Progress(3, 0);
    arrived.becomeSnapshot(20);
    arrived.wayIsOpen(8);
    expect([arrived.isPaused(8, 1000), arrived.snapshotIndex]).toEqual([true, 20]);
    arrived.becomeProbe();
    expect([arrived.next, arrived.isPaused(8, 1000)]).toEqual([21, false]);
    const failed = new Progress(3, 0);
    failed.becomeSnapshot(20);
    failed.snapshotFailed();
    expect([failed.next, failed.isPaused(8, 1000)]).toEqual([1, true]);
    failed.wayIsOpen(8);
    expect(failed.isPaused(8, 1000)).toBe(false);
  });

  it('keeps the match below the next, never going back, whatever answers come', () => {
    const inputs = fc.array(
      fc.tuple(fc.constantFrom('sent', 'acknowledged', 'rejected', 'replicate', 'probe', 'open'), fc.nat(30), fc.nat(30)),
    );
    fc.assert(
      fc.property(inputs, (some) => {
        const progress = new Progress(15, 0);
        for (const [kind, index, hint] of some) {
          const before = progress.match;
          if (kind === 'sent' && !progress.isPaused(3, 100)) progress.sent(progress.next + (index % 3), 10);
          else if (kind === 'acknowledged') progress.acknowledged(index);
          else if (kind === 'rejected') progress.rejected(index, hint);
          else if (kind === 'replicate' && progress.state === 'probe') progress.becomeReplicate();
          else if (kind === 'probe') progress.becomeProbe();
          else if (kind === 'open') progress.wayIsOpen(3);
          expect(progress.match).toBeGreaterThanOrEqual(before);
          expect(progress.next).toBeGreaterThan(progress.match);
        }
      }),
    );
  });
});
