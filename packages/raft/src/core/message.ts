import type { Entry, NodeId, SnapshotMeta } from './entry.ts';

interface Envelope {
  readonly from: NodeId;
  readonly to: NodeId;
  /** The sender's term; for a pre-vote, the term that it would stand for. */
  readonly term: number;
}

/** RequestVote (Raft 5.2), and the pre-vote before it (thesis 9.6). */
export interface VoteRequest extends Envelope {
  readonly type: 'vote';
  readonly preVote: boolean;
  readonly lastIndex: number;
  readonly lastTerm: number;
  /** The leader asked for this election (thesis 3.10): a live lease does not stand against it. */
  readonly transfer: boolean;
}

export interface VoteReply extends Envelope {
  readonly type: 'vote-reply';
  readonly preVote: boolean;
  readonly granted: boolean;
}

/** AppendEntries (Raft 5.3). Without entries: a probe. */
export interface AppendRequest extends Envelope {
  readonly type: 'append';
  readonly prevIndex: number;
  readonly prevTerm: number;
  readonly entries: readonly Entry[];
  readonly commit: number;
}

export interface AppendReply extends Envelope {
  readonly type: 'append-reply';
  /** The last index that matches the leader's log; when rejected, the `prevIndex` that did not. */
  readonly index: number;
  readonly rejected: boolean;
  /** Rejected: the follower's last entry at or before `index` that could match, by its own terms; 0 and 0 otherwise. */
  readonly hintIndex: number;
  readonly hintTerm: number;
}

/** Keeps a follower from standing, renews the lease, and confirms leadership for reads (thesis 6.4). */
export interface Heartbeat extends Envelope {
  readonly type: 'heartbeat';
  /** Never more than what is known to match. */
  readonly commit: number;
  /** Counts the rounds of heartbeats; echoed. */
  readonly round: number;
}

export interface HeartbeatReply extends Envelope {
  readonly type: 'heartbeat-reply';
  readonly round: number;
}

/** The follower is behind the leader's log: the transport carries the data along (InstallSnapshot, Raft 7). */
export interface SnapshotRequest extends Envelope {
  readonly type: 'snapshot';
  readonly snapshot: SnapshotMeta;
}

/** Stand for election at once (thesis 3.10). */
export interface TimeoutNow extends Envelope {
  readonly type: 'timeout-now';
}

export type Message = VoteRequest | VoteReply | AppendRequest | AppendReply | Heartbeat | HeartbeatReply | SnapshotRequest | TimeoutNow;
export type MessageType = Message['type'];
