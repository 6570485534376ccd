import type { Membership } from '@lictor/raft';

/** Where a log ends, or an entry of it stands. */
export interface LogPosition {
  readonly index: number;
  readonly term: number;
}

/** What the data directory of a stopped server holds of its cluster. */
export interface Survivor {
  readonly dataDir: string;
  readonly nodeId: string;
  readonly clusterId: string;
  /** The latest term that it has heard of. */
  readonly term: number;
  readonly last: LogPosition;
  /** What it knows to be committed: the rest of its log may be, or not. */
  readonly commit: number;
  /** Index 0: none. */
  readonly snapshot: LogPosition;
  /** The newest that its log has, committed or not. */
  readonly membership: Membership;
  /** A peers.json waits to be applied. */
  readonly hasPeersFile: boolean;
  /** The term of an entry; undefined: the log does not reach there. */
  termAt(index: number): number | undefined;
}
