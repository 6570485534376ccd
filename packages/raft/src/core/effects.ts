import type { Entry, HardState, NodeId, SnapshotMeta } from './entry.ts';
import type { Message } from './message.ts';

export type Role = 'follower' | 'pre-candidate' | 'candidate' | 'leader';

/** What storage has to do, in order of the batches, whole or not at all. */
export interface PersistBatch {
  /** Handed back to `persisted` once everything in it is durable. */
  readonly token: PersistToken;
  readonly hardState: HardState | undefined;
  /** Replace whatever storage has from the first one's index on. */
  readonly entries: readonly Entry[];
  /** The state machine becomes this snapshot, which the transport has brought; the stored log begins behind it. Before `entries`. */
  readonly snapshot: SnapshotMeta | undefined;
  /** To be sent when the batch is durable, not before. */
  readonly messages: readonly Message[];
}

export interface PersistToken {
  readonly lastIndex: number;
  readonly lastTerm: number;
  /** A candidate's own vote in this term becomes valid. */
  readonly term: number;
}

export interface ReadState {
  readonly id: number;
  /** The state machine must have applied this much before the read is answered. Undefined: this server leads no more. */
  readonly index: number | undefined;
}

/** Everything that one input, or several, led to. The driver carries it out. */
export interface Effects {
  /** To be sent at once. */
  readonly messages: readonly Message[];
  readonly persist: PersistBatch | undefined;
  /** Committed, durable here, in order, each exactly once. */
  readonly committed: readonly Entry[];
  readonly reads: readonly ReadState[];
  /** Set when role, term or leader have changed. */
  readonly status: Status | undefined;
}

export interface Status {
  readonly role: Role;
  readonly term: number;
  readonly leader: NodeId | undefined;
}
