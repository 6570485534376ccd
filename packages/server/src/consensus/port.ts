import type { RaftConfiguration } from '@lictor/protocol';
import type { Command } from '../fsm/types.ts';

/** What came of a proposal: the index it was applied at, and the handler's result. */
export interface Applied<Result> {
  readonly index: number;
  readonly result: Result;
}

/**
 * The replicated log as the server sees it. Implementations: a single node's log (this package), Raft.
 *
 * 1. `propose` resolves once the command is durable and applied here; proposals that arrive while one batch syncs form the next.
 * 2. A rejected proposal was not and will never be applied, but for code `outcome-unknown`.
 * 3. Handlers' `CommandFailure`s reject with a LictorError of the same code and message.
 */
export interface Consensus {
  start(): Promise<void>;
  /** Waits for what is in flight, takes a final snapshot when that is cheap, closes files. */
  stop(): Promise<void>;
  propose<Result>(command: Command): Promise<Applied<Result>>;
  /** Resolves when every entry committed before the call is applied here, and this node is known to lead still (consistent reads). */
  barrier(): Promise<void>;
  readonly isLeader: boolean;
  /** `ip:port` of the leader's RPC address, empty without one. */
  readonly leaderAddress: string;
  /** ms since this node heard from the leader; 0 on the leader. */
  readonly lastContactMs: number;
  readonly appliedIndex: number;
  /** The election term; of a single node, how often it has started. */
  readonly term: number;
  configuration(): RaftConfiguration;
  /** Called when leadership is gained or lost; returns the unsubscriber. */
  onLeadershipChange(listener: (isLeader: boolean) => void): () => void;
  /** Replaces the whole state through the log (snapshot restore). `state` is the FSM's own snapshot encoding. */
  restore(state: Uint8Array): Promise<number>;
}
