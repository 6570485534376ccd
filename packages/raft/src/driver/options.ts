import type { Clock, Logger, Metrics, Random } from '@lictor/protocol';
import type { Status } from '../core/effects.ts';
import type { Membership, NodeId } from '../core/entry.ts';
import type { RaftOptions } from '../core/options.ts';
import type { LogStore, SnapshotStore, StateMachine, Transport } from './ports.ts';

export interface NodeOptions extends RaftOptions {
  /** Applied entries between two snapshots at least… */
  readonly snapshotEntries: number;
  /** …and time between them, so that a busy server does not write its state all the time… */
  readonly snapshotIntervalMs: number;
  /** …but after so many bytes of entries in any case. */
  readonly snapshotBytes: number;
  /** Entries that stay behind a snapshot, for followers that are a little behind… */
  readonly trailingEntries: number;
  /** …and their bytes at most. */
  readonly trailingBytes: number;
  /** Of applying before the event loop gets its turn; looked at now and then. */
  readonly applyTurnMs: number;
  /** One command at most. */
  readonly maxCommandBytes: number;
}

export const DEFAULT_NODE_LIMITS = {
  snapshotEntries: 16_384,
  snapshotIntervalMs: 30_000,
  snapshotBytes: 256 * 1024 * 1024,
  trailingEntries: 10_240,
  trailingBytes: 64 * 1024 * 1024,
  applyTurnMs: 5,
  maxCommandBytes: 8 * 1024 * 1024,
} as const;

export interface NodePorts {
  readonly log: LogStore;
  readonly snapshots: SnapshotStore;
  readonly transport: Transport;
  readonly machine: StateMachine;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** This server has stopped for good: its disk, or an invariant, has failed. Called once. */
  onFailure(error: Error): void;
}

export interface NodeStatus extends Status {
  readonly id: NodeId;
  /** `ip:port` */
  readonly leaderAddress: string | undefined;
  readonly membership: Membership;
  readonly committed: number;
  readonly applied: number;
  readonly firstIndex: number;
  readonly lastIndex: number;
  readonly lastTerm: number;
  /** Of the newest snapshot; 0 and 0: none. */
  readonly snapshotIndex: number;
  readonly snapshotTerm: number;
  /** Since the leader was last heard; 0 for the leader itself, undefined: never. */
  readonly lastContactMs: number | undefined;
  /** A leader's followers. */
  readonly peers: readonly PeerStatus[];
}

export interface PeerStatus {
  readonly id: NodeId;
  /** Everything through this index is durable there. */
  readonly match: number;
  readonly lastContactMs: number;
}
