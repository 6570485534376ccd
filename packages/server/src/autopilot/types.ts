import type { AutopilotFields, AutopilotServer, RaftConfiguration, RaftStats } from '@lictor/protocol';
import type { ServerMember } from '../cluster/directory.ts';

/** What one server said about itself, and where the leader stood when it was asked. */
export interface ServerSample {
  readonly stats: RaftStats;
  /** Monotonic ms. */
  readonly takenMs: number;
  /** Of the leader's log; undefined: it was not known. */
  readonly leaderEnd: LogEnd | undefined;
}

export interface LogEnd {
  readonly index: number;
  readonly term: number;
}

/** Everything that autopilot decides on. Times are monotonic ms but for `wallMs`. */
export interface Observation {
  readonly nowMs: number;
  /** ms since the epoch: for people. */
  readonly wallMs: number;
  readonly selfId: string;
  readonly config: AutopilotFields;
  /** How often a leader is heard at least when all is well. */
  readonly heartbeatMs: number;
  readonly raft: RaftConfiguration['Servers'];
  readonly members: readonly ServerMember[];
  /** By id; the leader's own is always of now. */
  readonly samples: ReadonlyMap<string, ServerSample>;
  /** A node's metadata, as the catalog has it. */
  metaOf(name: string): Readonly<Record<string, string>> | null;
}

/** A server as it is followed from one observation to the next. */
export interface TrackedServer {
  readonly id: string;
  readonly name: string;
  /** Where the directory knows it, else where Raft does. */
  readonly address: string;
  readonly version: string;
  readonly nodeStatus: AutopilotServer['NodeStatus'];
  readonly role: AutopilotServer['Status'];
  /** The newest answer that is not too old. */
  readonly stats: RaftStats | undefined;
  readonly isHealthy: boolean;
  /** When `isHealthy` changed last. */
  readonly stableSinceMs: number;
  readonly stableSinceWallMs: number;
  /** Since when Raft has it and the directory does not; undefined: the directory knows it. */
  readonly unknownSinceMs: number | undefined;
  /** It has the log of another cluster: what is sent to it, it refuses. */
  readonly isForeign: boolean;
  readonly meta: Readonly<Record<string, string>> | null;
}

/** What changes follow from. */
export interface Decision extends Observation {
  readonly tracked: readonly TrackedServer[];
  /** When autopilot began to watch: servers are not held back for a time that it has not been there. */
  readonly watchingSinceMs: number;
  /** By id, when an operator took them out. */
  readonly removedAtMs: ReadonlyMap<string, number>;
}

/** One change of Raft's membership, in the order in which they are to be made. */
export type Change =
  | { readonly kind: 'add' | 'promote'; readonly id: string; readonly name: string; readonly address: string }
  | { readonly kind: 'move'; readonly id: string; readonly name: string; readonly address: string; readonly isVoter: boolean }
  | { readonly kind: 'remove'; readonly id: string; readonly name: string; readonly reason: RemovalReason };

/**
 * `replaced`: another server lives at its address now. `foreign`: it has come back with the log of another cluster. `unknown`: nobody has
 * heard of it for long.
 */
export type RemovalReason = 'left' | 'replaced' | 'foreign' | 'failed' | 'unknown';
