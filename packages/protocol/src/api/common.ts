/** Written by the state store on every row; Raft log indexes. */
export interface RaftIndex {
  /** The index that created the row. */
  readonly CreateIndex: number;
  /** The index that last changed it; what compare-and-set compares. */
  readonly ModifyIndex: number;
}

/** Open edition: one namespace and partition, whose names appear only in SPIFFE ids and legacy output. */
export const DEFAULT_NAMESPACE = 'default';

/** Matches any service in an intention, and every service in a watch. */
export const WILDCARD = '*';
