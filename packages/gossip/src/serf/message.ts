import type { Address } from '../swim/index.ts';
import type { UserEvent } from '../types.ts';

/** "I am here since": takes back an older intent to leave. */
export interface JoinIntent {
  readonly type: 'join-intent';
  readonly time: number;
  readonly node: string;
}

/** A member leaves, or an operator says so of one that failed. */
export interface LeaveIntent {
  readonly type: 'leave-intent';
  readonly time: number;
  readonly node: string;
  /** Forget it at once. */
  readonly prune: boolean;
}

export type Intent = JoinIntent | LeaveIntent;

export interface UserEventMessage extends UserEvent {
  readonly type: 'user-event';
}

export interface QueryMessage {
  readonly type: 'query';
  readonly time: number;
  /** With `time` it tells a query from all others. */
  readonly id: number;
  readonly from: string;
  readonly fromAddress: Address;
  readonly name: string;
  readonly payload: Uint8Array;
  /** Only these answer; empty: all. */
  readonly nodes: readonly string[];
  /** Only those whose tags match. */
  readonly tags: Readonly<Record<string, string>>;
  readonly wantsAck: boolean;
  /** Members through which each answer goes besides. */
  readonly relays: number;
  readonly timeoutMs: number;
}

export interface QueryResponseMessage {
  readonly type: 'query-response';
  readonly time: number;
  readonly id: number;
  readonly from: string;
  readonly isAck: boolean;
  readonly payload: Uint8Array;
}

/** "Send this on to `node`." */
export interface RelayMessage {
  readonly type: 'relay';
  readonly node: string;
  readonly response: QueryResponseMessage;
}

export type SerfMessage = Intent | UserEventMessage | QueryMessage | QueryResponseMessage | RelayMessage;

/** Serf's part of a push/pull. */
export interface SerfState {
  readonly memberTime: number;
  readonly eventTime: number;
  readonly queryTime: number;
  /** When each member's status was last said. */
  readonly statusTimes: readonly (readonly [node: string, time: number])[];
  /** Those who have left, or are about to. */
  readonly left: readonly string[];
  /** Recent ones, the oldest first. */
  readonly events: readonly UserEvent[];
}
