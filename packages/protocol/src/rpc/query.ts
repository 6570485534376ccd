import type { Secret } from '../secret.ts';

/** How fresh a read must be. `default` trusts the leader's lease, `consistent` asks a quorum, `stale` takes any server's state. */
export type Consistency = 'default' | 'consistent' | 'stale';

/** What every read can ask for beside its own arguments. */
export interface QueryOptions {
  readonly consistency?: Consistency;
  /** Refuse a stale answer older than this, ms. */
  readonly maxStaleMs?: number;
  /** Block until the answer's index passes this one. */
  readonly minIndex?: number;
  /** How long to block at most, ms, before jitter; 0 takes the server's default (300 s). */
  readonly maxWaitMs?: number;
  /** Wait until this server has applied that index before answering: read your writes on any server. */
  readonly appliedIndex?: number;
}

/** What comes with every read's answer. */
export interface QueryMeta {
  /** At least 1. The next blocking query passes it as `minIndex`. */
  readonly index: number;
  readonly knownLeader: boolean;
  readonly lastContactMs: number;
  readonly consistency: Consistency;
  readonly resultsFilteredByAcls: boolean;
}

export interface CallOptions {
  readonly token?: Secret;
  /** Empty or absent: the agent's own. */
  readonly datacenter?: string;
  readonly query?: QueryOptions;
  readonly signal?: AbortSignal;
}
