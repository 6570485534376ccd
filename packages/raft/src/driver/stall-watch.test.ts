import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../core/options.ts';
import { DEFAULT_NODE_LIMITS } from './options.ts';
import { StallWatch, type StallVerdict } from './stall-watch.ts';

const TIMING = { heartbeatMs: 100, electionTimeoutMs: 1000, leaseMs: 500 };
const TICK_MS = 25;

/** A leader's ticks, one after the other, at these times; each with what the disk does then. */
function verdicts(times: readonly number[], writingSinceMs?: number, isLeader = true): StallVerdict[] {
  const watch = new StallWatch({ id: 'a', ...TIMING, ...DEFAULT_LIMITS, ...DEFAULT_NODE_LIMITS });
  return times.map((nowMs) => watch.tick({ nowMs, writingSinceMs, isLeader }, nowMs + TICK_MS));
}

function every(stepMs: number, fromMs: number, throughMs: number): number[] {
  return Array.from({ length: Math.floor((throughMs - fromMs) / stepMs) + 1 }, (_, position) => fromMs + position * stepMs);
}

describe('a leader whose disk stalls', () => {
  it('hands over after half an election timeout, once, and steps down after a whole one', () => {
    const found = verdicts(every(TICK_MS, 0, 1100), 0);
    expect(found.map((verdict, tick) => [verdict, tick * TICK_MS]).filter(([verdict]) => verdict !== 'lead')).toEqual([
      ['hand-over', 500],
      ['step-down', 1000],
      ['step-down', 1025],
      ['step-down', 1050],
      ['step-down', 1075],
      ['step-down', 1100],
    ]);
  });

  it('goes on when the disk does, before that', () => {
    expect(verdicts(every(TICK_MS, 0, 475), 0)).not.toContain('hand-over');
  });
});

describe('a leader whose event loop stalls', () => {
  it('hands over once it has read what came meanwhile, half a heartbeat later', () => {
    expect(verdicts([0, 25, 551, 576, 601, 626])).toEqual(['lead', 'lead', 'lead', 'lead', 'hand-over', 'lead']);
  });

  it('leads on after a shorter one', () => {
    expect(verdicts([0, 25, 550, 575, 600, 700])).toEqual(Array.from({ length: 6 }, () => 'lead'));
  });

  it('steps down when nobody has taken over and it stalls again, and not for what was long ago', () => {
    expect(verdicts([0, 600, 650, 1300]).at(-1)).toBe('step-down');
    expect(verdicts([0, 600, 650, ...every(TICK_MS, 675, 4000), 4600, 4650]).slice(-2)).toEqual(['lead', 'hand-over']);
  });
});

describe('a follower that stalls', () => {
  it('is nobody’s concern, also if it leads later', () => {
    expect(verdicts([0, 800, 825], 0, false)).toEqual(['lead', 'lead', 'lead']);
  });
});
