import type { NodeId } from './entry.ts';

export type RaftErrorCode =
  /** Only the leader can do this; nothing was proposed, or what was proposed is certainly lost. */
  | 'not-leader'
  /** Leadership is being given away; nothing was proposed. */
  | 'transferring'
  /** Too much is uncommitted; nothing was proposed. */
  | 'overloaded'
  /** Larger than what one entry may be; nothing was proposed. */
  | 'too-large'
  | 'membership-pending'
  | 'invalid-membership'
  /** A change of the membership that those who would vote then do not answer for; nothing was proposed. */
  | 'quorum-silent'
  /** It was appended, and leadership was lost before its fate was known: it may still be committed. */
  | 'outcome-unknown'
  /** This server takes part no more. */
  | 'stopped'
  /** The disk has failed: what it holds cannot be relied on. */
  | 'storage'
  /** There is a log already. */
  | 'already-bootstrapped'
  /** What was stored or received cannot be right. */
  | 'corrupt'
  /** What was stored is a newer version's: this one must not touch it. */
  | 'newer-format';

export interface RaftErrorDetails {
  /** `not-leader`: who leads, as far as known. */
  readonly leader?: NodeId | undefined;
  readonly cause?: unknown;
}

export class RaftError extends Error {
  override readonly name = 'RaftError';
  readonly code: RaftErrorCode;
  readonly leader: NodeId | undefined;

  constructor(code: RaftErrorCode, message: string, details: RaftErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.leader = details.leader;
  }
}

/** A state that the algorithm rules out: a bug, here or in storage. Production stops rather than go on. */
export function assertInvariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`raft invariant broken: ${message}`);
}
