import type { Coordinate } from '@lictor/protocol';

/** A member of a gossip pool. */
export interface PoolMember {
  readonly name: string;
  /** `ip:port` of its gossip. */
  readonly address: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly status: 'alive' | 'leaving' | 'left' | 'failed';
}

export interface PoolJoin {
  /** Members that answered. */
  readonly joined: number;
  readonly failures: readonly { readonly address: string; readonly error: Error }[];
}

export interface PoolEvent {
  /** Lamport time of events. */
  readonly time: number;
  readonly name: string;
  readonly payload: Uint8Array;
}

/** One gossip pool, LAN or WAN, as its agent uses it. */
export interface AgentPool {
  /** This agent included. */
  members(): readonly PoolMember[];
  /** Called after each change of the members; returns the unsubscriber. */
  onChange(listener: () => void): () => void;
  /** Each address is `host:port`. Never rejects because of one of them. */
  join(addresses: readonly string[]): Promise<PoolJoin>;
  /** False: there is none of that name. */
  forceLeave(name: string, options: { readonly prune: boolean }): boolean;
  /** To all members, this one included. @throws Error when it is too large */
  sendUserEvent(name: string, payload: Uint8Array): void;
  onUserEvent(listener: (event: PoolEvent) => void): () => void;
  /** This agent's place in the network. */
  coordinate(): Coordinate;
  /** Serf's counters, by the names of `info`. */
  stats(): Readonly<Record<string, number>>;
}

/** Undefined: the agent is by itself. */
export interface AgentPools {
  readonly lan?: AgentPool;
  readonly wan?: AgentPool;
}
