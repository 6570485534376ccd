import type { RaftConfiguration, RaftStats } from '@lictor/protocol';
import type { Command } from '../fsm/types.ts';

/** What came of a proposal: the index it was applied at, and the handler's result. */
export interface Applied<Result> {
  readonly index: number;
  readonly result: Result;
}

/**
 * The replicated log as the server sees it.
 *
 * 1. `propose` resolves once the command is committed and applied here; proposals that arrive while one batch syncs form the next.
 * 2. A rejected proposal was not and will never be applied, but for code `outcome-unknown`.
 * 3. Handlers' `CommandFailure`s reject with a LictorError of the same code and message.
 * 4. Indexes are those of the state: they go on rising when a restored snapshot is ahead of the log.
 */
export interface Consensus {
  start(): Promise<void>;
  /** Waits for what is in flight and closes files; leadership is not given away: see `transferLeadership`. */
  stop(): Promise<void>;
  /** @throws LictorError `no-leader`: not proposed, ask who leads; `unavailable`: not proposed; `too-large`; `outcome-unknown` */
  propose<Result>(command: Command): Promise<Applied<Result>>;
  /** Resolves when every entry committed before the call is applied here, and a quorum has said that this node leads (consistent reads). */
  barrier(): Promise<void>;
  /** A default read may be answered from the state as it is: this server leads, its lease runs, and what it has acknowledged is applied. */
  readonly mayAnswerReads: boolean;
  /** Resolves when a default read may be answered. @throws LictorError `no-leader` */
  leaseBarrier(): Promise<void>;
  /** It leads, and has applied all that former leaders have committed. */
  readonly isLeader: boolean;
  /** Empty without one. */
  readonly leaderId: string;
  /** `ip:port` of the leader's RPC address, empty without one. */
  readonly leaderAddress: string;
  /** ms since this node heard from the leader; 0 on the leader. */
  readonly lastContactMs: number;
  readonly appliedIndex: number;
  /** The election term. */
  readonly term: number;
  /** The membership as this server knows it; `LastIndex` only on the leader. */
  configuration(): RaftConfiguration;
  stats(): RaftStats;
  /** Called when leadership is gained or lost; returns the unsubscriber. */
  onLeadershipChange(listener: (isLeader: boolean) => void): () => void;
  /** Called when another server leads, or none; returns the unsubscriber. */
  onLeaderChange(listener: () => void): () => void;
  /** Replaces the whole state through the log (snapshot restore). `state` is the FSM's own snapshot encoding. */
  restore(state: Uint8Array): Promise<number>;
  /** Adds a server, or changes its address or whether it votes. @throws LictorError */
  setServer(id: string, address: string, isVoter: boolean): Promise<void>;
  /** @throws LictorError `rejected` when nobody could lead without it */
  removeServer(id: string): Promise<void>;
  /** Resolves when another server leads; `id` undefined: whichever has most of the log. @throws LictorError */
  transferLeadership(id?: string): Promise<void>;
}
