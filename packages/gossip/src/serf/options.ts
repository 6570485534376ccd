import type { SwimOptions, SwimPorts } from '../swim/index.ts';

/** Serf's figures (consul-facts T022). */
export interface SerfTiming {
  readonly reapIntervalMs: number;
  readonly reconnectIntervalMs: number;
  /** A failed member is forgotten after it… */
  readonly reconnectTimeoutMs: number;
  /** …and one that has left after it. */
  readonly tombstoneTimeoutMs: number;
  /** For so long an intent counts for a member that is not known yet. */
  readonly recentIntentMs: number;
  /** For an own rumour to be told on, at most. */
  readonly broadcastTimeoutMs: number;
  /** After the last word of one that leaves, so that it gets round before the sockets close. */
  readonly leavePropagateMs: number;
  /** A query waits gossip interval x this x log10(n+1). */
  readonly queryTimeoutMult: number;
  /** User events that may be coalesced are held back so long at most; 0: not at all… */
  readonly coalesceMs: number;
  /** …and until so long nothing new came. */
  readonly quiescentMs: number;
}

export interface SerfLimits {
  /** Lamport times of which events and queries are remembered. */
  readonly recentEvents: number;
  /** Name and payload. */
  readonly userEventBytes: number;
  readonly queryBytes: number;
  readonly queryResponseBytes: number;
}

export interface SerfOptions extends SwimOptions, SerfTiming, SerfLimits {
  /** Events from before this member joined are not delivered. */
  readonly ignoresOldEvents: boolean;
  /** Whether two that claim one name ask the others who keeps it. */
  readonly resolvesNameConflicts: boolean;
}

export interface SerfPorts extends Omit<SwimPorts, 'appState' | 'ackPayload'> {
  /** Whether a tag matches a query's pattern. Runs on text that peers send: in linear time. Undefined: a pattern is the value itself. */
  readonly matchesPattern?: (pattern: string, value: string) => boolean;
}

export const SERF_TIMING: SerfTiming = Object.freeze({
  reapIntervalMs: 15_000,
  reconnectIntervalMs: 30_000,
  reconnectTimeoutMs: 72 * 3_600_000,
  tombstoneTimeoutMs: 24 * 3_600_000,
  recentIntentMs: 5 * 60_000,
  broadcastTimeoutMs: 5000,
  leavePropagateMs: 3000,
  queryTimeoutMult: 16,
  coalesceMs: 0,
  quiescentMs: 0,
});

export const SERF_LIMITS: SerfLimits = Object.freeze({
  recentEvents: 512,
  userEventBytes: 512,
  queryBytes: 1024,
  queryResponseBytes: 1024,
});
