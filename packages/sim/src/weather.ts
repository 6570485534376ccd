import type { Random } from '@lictor/protocol';
import type { LinkWeather } from './network/links.ts';

/** What kind of a bad day it is; drawn from the seed, since each kind of mistake shows on another one. */
export interface Weather {
  readonly stormMs: number;
  /** Servers that make the cluster, and those that come later. */
  readonly servers: number;
  readonly newcomers: number;
  readonly links: LinkWeather;
  /** Of one operation of a disk at most. */
  readonly diskMs: number;
  /** How far clocks run apart. */
  readonly drift: number;
  readonly faultEveryMs: number;
  readonly operatorEveryMs: number;
  /** How long crashed servers stay away at most. */
  readonly downMs: number;
  /** How often a new leader dies, or is cut off, within a moment. */
  readonly leaderTroubleRate: number;
  readonly snapshotEntries: number;
  readonly snapshotIntervalMs: number;
  readonly trailingEntries: number;
  readonly kvClients: number;
  readonly lockClients: number;
  readonly watchers: number;
  readonly thinkMs: number;
  /** Kinds of faults that this day has. */
  readonly hasPowerCuts: boolean;
  readonly hasPartitions: boolean;
  readonly hasPauses: boolean;
  readonly hasDiskFaults: boolean;
  readonly hasBitRot: boolean;
  readonly hasMembershipChanges: boolean;
  readonly hasRestores: boolean;
}

export function forecast(random: Random): Weather {
  const pick = <T>(items: readonly [T, ...T[]]): T => items[Math.floor(random.float() * items.length)] ?? items[0];
  const chance = (rate: number): boolean => random.float() < rate;
  return {
    stormMs: pick([10_000, 15_000, 20_000]),
    servers: pick([3, 3, 3, 4, 5]),
    newcomers: pick([0, 0, 1]),
    links: {
      delayMs: pick([1, 5, 30]),
      slowDelayMs: pick([5, 50, 400]),
      lossRate: pick([0, 0.02, 0.15]),
      isOrdered: chance(0.5),
      breakRate: pick([0, 0.01, 0.05]),
    },
    diskMs: pick([1, 4, 20, 60]),
    drift: pick([0, 0.01, 0.1]),
    faultEveryMs: pick([300, 800, 2000]),
    operatorEveryMs: pick([500, 1000, 3000]),
    downMs: pick([100, 1000, 4000]),
    leaderTroubleRate: pick([0, 0, 0.4]),
    snapshotEntries: pick([20, 50, 200, 1000]),
    snapshotIntervalMs: pick([0, 200, 2000]),
    trailingEntries: pick([1, 10, 100]),
    kvClients: pick([3, 6, 10]),
    lockClients: pick([1, 2, 4]),
    watchers: pick([1, 3, 5]),
    thinkMs: pick([30, 100, 300]),
    hasPowerCuts: chance(0.5),
    hasPartitions: chance(0.7),
    hasPauses: chance(0.5),
    hasDiskFaults: chance(0.4),
    hasBitRot: chance(0.25),
    hasMembershipChanges: chance(0.4),
    hasRestores: chance(0.15),
  };
}
