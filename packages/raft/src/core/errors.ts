export type RaftErrorCode =
  /** Only the leader can do this; nothing was proposed. */
  | 'not-leader'
  /** Leadership is being given away; nothing was proposed. */
  | 'transferring'
  /** Too much is uncommitted; nothing was proposed. */
  | 'overloaded'
  | 'membership-pending'
  | 'invalid-membership'
  /** What was stored or received cannot be right. */
  | 'corrupt';

export class RaftError extends Error {
  override readonly name = 'RaftError';
  readonly code: RaftErrorCode;

  constructor(code: RaftErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** A state that the algorithm rules out: a bug, here or in storage. Production stops rather than go on. */
export function assertInvariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`raft invariant broken: ${message}`);
}
