/** A server's id: any text, the same for its whole life. */
export type NodeId = string;

/**
 * One record of the replicated log.
 *
 * 1. `index` starts at 1 and has no gaps.
 * 2. Index and term together name one entry for ever (log matching, Raft 5.3).
 */
export interface Entry {
  readonly index: number;
  readonly term: number;
  readonly kind: EntryKind;
  /** For `membership`, an encoded `Membership`; for `noop`, empty. */
  readonly data: Uint8Array;
}

/** `noop`: what a leader begins its term with (Raft 8). `membership`: the cluster itself changes. */
export type EntryKind = 'command' | 'noop' | 'membership';

/** What must be durable before a server answers anyone (Raft, figure 2). */
export interface HardState {
  readonly term: number;
  /** Whom this server voted for in `term`; undefined: nobody. */
  readonly vote: NodeId | undefined;
  /** A lower bound: it need not be synced by itself. */
  readonly commit: number;
}

/**
 * Who takes part.
 *
 * 1. While `outgoing` is not empty the change is joint (Raft thesis 4.3): elections and commits need a majority of `voters` and one of
 *    `outgoing`.
 * 2. Nobody is voter and learner at once; `demoted` are voters of `outgoing` that become learners when the joint phase ends.
 */
export interface Membership {
  readonly voters: readonly NodeId[];
  readonly outgoing: readonly NodeId[];
  readonly learners: readonly NodeId[];
  readonly demoted: readonly NodeId[];
  /** Where each of them is reached, for the transport: `ip:port`. The core only passes it on. */
  readonly addresses: Readonly<Record<NodeId, string>>;
}

/** Stands for the log through `index`. */
export interface SnapshotMeta {
  readonly index: number;
  readonly term: number;
  readonly membership: Membership;
}

/** Approximate size of an entry on the wire and in memory. */
export function entryBytes(entry: Entry): number {
  return entry.data.length + ENTRY_OVERHEAD_BYTES;
}

const ENTRY_OVERHEAD_BYTES = 32;
