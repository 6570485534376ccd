/** Serf's words for what a member is, as `members` shows them. A suspected one is still `alive`: nobody is told before it is certain. */
export type MemberStatus = 'alive' | 'leaving' | 'left' | 'failed';

/** A member of the pool, as this one knows it. */
export interface Member {
  /** Unique in the pool. */
  readonly name: string;
  /** A UUID that stays the same for the node's life, under whatever name or address; empty: it has not said one. */
  readonly id: string;
  /** `ip:port`, of both datagrams and streams: where others reach it. */
  readonly address: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly status: MemberStatus;
  /** Of the gossip protocol that it speaks. */
  readonly protocolVersion: number;
}

export type MembershipEvent =
  | { readonly type: 'join' | 'leave' | 'failed' | 'update'; readonly member: Member }
  /** Forgotten: nobody will wait for it any more. */
  | { readonly type: 'reap'; readonly member: Member }
  /** Another one claims a name, or a node id, that has an owner already; it is refused. */
  | { readonly type: 'conflict'; readonly known: Member; readonly claimedBy: string; readonly what: 'name' | 'id' };

/** Told to all members, at most once each, in no certain order. */
export interface UserEvent {
  /** Lamport time of events: of two with the same name the later one counts. */
  readonly time: number;
  readonly name: string;
  readonly payload: Uint8Array;
  /** Of several with the same name that come together only the last is delivered. */
  readonly coalesce: boolean;
}

export interface JoinResult {
  /** Members that answered. */
  readonly joined: number;
  readonly failures: readonly { readonly address: string; readonly error: Error }[];
}

/** A network coordinate (Dabek and others, Vivaldi; Ledlie and others for `adjustment`): seconds. */
export interface Coordinate {
  readonly vec: readonly number[];
  readonly error: number;
  readonly adjustment: number;
  readonly height: number;
}

export interface QueryRequest {
  readonly name: string;
  readonly payload: Uint8Array;
  /** Only these nodes answer; undefined: all. */
  readonly nodes?: readonly string[];
  /** Only members all of whose named tags match these regular expressions. */
  readonly tags?: Readonly<Record<string, string>>;
  /** Undefined: by the size of the pool (gossip interval x log10(n+1) x 16). */
  readonly timeoutMs?: number;
}

export interface QueryResponse {
  readonly from: string;
  readonly payload: Uint8Array;
}
