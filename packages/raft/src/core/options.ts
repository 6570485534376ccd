import type { Random } from '@lictor/protocol';
import type { HardState, NodeId, SnapshotMeta, Entry } from './entry.ts';

export interface RaftOptions {
  readonly id: NodeId;
  readonly heartbeatMs: number;
  /** A follower that hears nothing for between once and twice this stands for election. */
  readonly electionTimeoutMs: number;
  /** How long a quorum's heartbeat answers let a leader serve reads by itself. Below `electionTimeoutMs`, by what clocks may drift. */
  readonly leaseMs: number;
  /** Bytes of entries in one append at most; a single larger entry goes alone. */
  readonly maxAppendBytes: number;
  /** Appends on their way to one follower at most. */
  readonly maxInflight: number;
  readonly maxInflightBytes: number;
  /** Proposals beyond these bytes that are not committed are refused. */
  readonly maxUncommittedBytes: number;
}

/** What a server knows when it starts. */
export interface Recovered {
  readonly hardState: HardState;
  readonly snapshot: SnapshotMeta;
  /** The log behind the snapshot, without gaps. */
  readonly entries: readonly Entry[];
  /** Already in the state machine; at least the snapshot's index. */
  readonly applied: number;
}

export interface RaftPorts {
  readonly random: Random;
}

export const DEFAULT_LIMITS = {
  maxAppendBytes: 1024 * 1024,
  maxInflight: 256,
  maxInflightBytes: 16 * 1024 * 1024,
  maxUncommittedBytes: 64 * 1024 * 1024,
} as const;
