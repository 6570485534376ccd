import type { Random } from '@lictor/protocol';

/** What kind of a bad day it is; drawn from the seed, since each kind of mistake shows on another one. */
export interface Weather {
  /** Of most messages, and of one in ten. */
  readonly delayMs: number;
  readonly slowDelayMs: number;
  readonly lossRate: number;
  readonly diskMs: number;
  /** How long crashed servers stay away at most. */
  readonly downMs: number;
  readonly faultEveryMs: number;
  /** How often a new leader, or one that changes the membership, crashes within a moment. */
  readonly leaderCrashRate: number;
  /** Small: what a follower lacks comes entry by entry, and what is in between shows. */
  readonly maxAppendBytes: number;
  /** The cluster is healed in the middle of a transfer. */
  readonly endsInTransfer: boolean;
}

export const CALM: Weather = {
  delayMs: 5,
  slowDelayMs: 5,
  lossRate: 0,
  diskMs: 4,
  downMs: 100,
  faultEveryMs: 1000,
  leaderCrashRate: 0,
  maxAppendBytes: 256,
  endsInTransfer: false,
};

export function forecast(random: Random): Weather {
  const pick = <T>(items: readonly [T, ...T[]]): T => items[Math.floor(random.float() * items.length)] ?? items[0];
  return {
    delayMs: pick([3, 5, 40]),
    slowDelayMs: pick([20, 100, 500]),
    lossRate: random.float() * 0.2,
    diskMs: pick([4, 4, 60, 150]),
    downMs: pick([20, 500, 2000]),
    faultEveryMs: pick([150, 500, 900]),
    leaderCrashRate: pick([0, 0.5, 0.9]),
    maxAppendBytes: pick([64, 64, 256]),
    endsInTransfer: pick([false, true]),
  };
}
