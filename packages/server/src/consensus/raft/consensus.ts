import {
  type Clock,
  LictorError,
  type Logger,
  type Metrics,
  type RaftConfiguration,
  type RaftStats,
  type Random,
  randomUuid,
  sleep,
} from '@lictor/protocol';
import {
  DEFAULT_LIMITS,
  DEFAULT_NODE_LIMITS,
  EMPTY_MEMBERSHIP,
  isSoleVoter,
  RaftError,
  type RaftErrorCode,
  RaftNode,
  type NodeStatus,
  type Transport,
} from '@lictor/raft';
import { encodeCommand } from '../../fsm/codec.ts';
import type { Fsm } from '../../fsm/fsm.ts';
import type { Command } from '../../fsm/types.ts';
import { noLeader } from '../../no-leader.ts';
import type { Applied, Consensus } from '../port.ts';
import { fromRaft, translated } from './errors.ts';
import { RaftHome } from './home.ts';
import { Leadership } from './leadership.ts';
import { type Applied as AppliedOutcome, FsmMachine } from './machine.ts';
import { Participants } from './participants.ts';
import { recoverPeers } from './recover-peers.ts';
import { restoreThroughLog } from './restore.ts';
import { configurationOf, statsOf } from './status.ts';
import type { RaftStorage } from './storage.ts';
import { discardUnclaimed } from './unclaimed-log.ts';

export interface RaftConsensusConfig {
  readonly nodeId: string;
  /** `ip:port` where other servers reach this one. */
  readonly rpcAddress: string;
  /** Makes a cluster of its own when it has never been part of one. */
  readonly isBootstrap: boolean;
  readonly raftTiming: RaftTiming;
  readonly snapshotThreshold: number;
  readonly snapshotIntervalMs: number;
  readonly trailingLogs: number;
}

export interface RaftTiming {
  readonly heartbeatMs: number;
  readonly electionTimeoutMs: number;
  readonly leaseMs: number;
}

export interface RaftConsensusPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly storage: RaftStorage;
  /** To servers of one cluster. */
  readonly createTransport: (clusterId: string) => Transport;
  /** How operators call a server; its id when the name is not known. */
  readonly nameOf: (id: string) => string;
}

export interface Voter {
  readonly id: string;
  /** `ip:port` of its RPC. */
  readonly address: string;
}

/** What a server says that has not heard a leader yet: nothing it has is new enough. Consul's figure, the longest of Go's durations. */
const NEVER_MS = 9_223_372_036_854;
/** A change of the membership has two phases, and a leader's first entry goes before: moments, when a quorum is there. */
const CHANGE_WAIT_MS = 5000;
const CHANGE_RETRY_MS = 20;
/** What may be over by then: an earlier change; voters that have not answered this leader yet. */
const PASSING: ReadonlySet<RaftErrorCode> = new Set(['membership-pending', 'quorum-silent']);

/**
 * The replicated log of a server. Until the server knows which cluster it belongs to there is no log: it has no leader, and waits for
 * `bootstrap` or `join`.
 */
export class RaftConsensus implements Consensus {
  /** Which members are known to have held the log. */
  readonly participants: Participants;
  readonly #config: RaftConsensusConfig;
  readonly #ports: RaftConsensusPorts;
  readonly #fsm: Fsm;
  readonly #machine: FsmMachine;
  readonly #home: RaftHome | undefined;
  readonly #leadership = new Leadership(async () => await this.#node?.read('quorum'));
  #node: RaftNode | undefined;
  #hasStarted = false;
  #clusterId = '';
  #hasFailed = false;

  constructor(config: RaftConsensusConfig, fsm: Fsm, ports: RaftConsensusPorts) {
    this.#config = config;
    this.#fsm = fsm;
    this.#ports = ports;
    this.#machine = new FsmMachine(fsm, ports.clock);
    this.#home = ports.storage.files === null ? undefined : new RaftHome(ports.storage.files, config.nodeId);
    this.participants = new Participants(ports.storage.files, ports.logger);
  }

  /** The cluster that this server belongs to; empty: none yet. */
  get clusterId(): string {
    return this.#clusterId;
  }

  /** Resolves at once when another server has to be found first; a server that is a cluster of its own leads when it resolves. */
  async start(): Promise<void> {
    const { storage, random } = this.#ports;
    try {
      const identity = await this.#home?.identity();
      if (identity !== undefined) {
        const recover = { ...storage, home: this.#home as RaftHome, machine: this.#machine, logger: this.#ports.logger };
        await this.#run((await recoverPeers(identity, recover)) ?? identity.clusterId);
        return;
      }
      await discardUnclaimed(storage.log);
      if (this.#config.isBootstrap) {
        await this.#bootstrap(randomUuid(random), [{ id: this.#config.nodeId, address: this.#config.rpcAddress }]);
      }
    } catch (thrown) {
      await storage.log.close();
      throw fromRaft(thrown);
    }
  }

  /**
   * Makes a cluster of these servers; each of them is told its id, and calls `join`.
   * @throws LictorError `rejected`: it has one; any other, and the log has failed
   */
  async bootstrap(clusterId: string, servers: readonly Voter[]): Promise<void> {
    this.#mustBeFree();
    await this.#orFail(this.#bootstrap(clusterId, servers));
  }

  /** Takes part in a cluster from now on; its leader sends the log. @throws LictorError as `bootstrap` */
  async join(clusterId: string): Promise<void> {
    this.#mustBeFree();
    await this.#orFail(this.#adopt(clusterId));
  }

  /** A disk has failed: this server takes no part until it is started again. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  async stop(): Promise<void> {
    this.#leadership.close();
    await this.participants.settled();
    if (this.#node === undefined) await this.#ports.storage.log.close();
    else await this.#node.stop();
  }

  async propose<Result>(command: Command): Promise<Applied<Result>> {
    const { result } = await translated(this.#running().propose(encodeCommand(command)));
    const { index, outcome } = result as AppliedOutcome;
    if (!outcome.ok) throw outcome.error;
    return { index, result: outcome.result as Result };
  }

  async barrier(): Promise<void> {
    await translated(this.#running().read('quorum'));
  }

  get mayAnswerReads(): boolean {
    return this.#leadership.isLeader && this.#node?.canAnswerReads() === true;
  }

  async leaseBarrier(): Promise<void> {
    await translated(this.#running().read('lease'));
  }

  get isLeader(): boolean {
    return this.#leadership.isLeader;
  }

  get leaderId(): string {
    return this.#leadership.status?.leader ?? '';
  }

  get leaderAddress(): string {
    return this.#leadership.status?.leaderAddress ?? '';
  }

  get lastContactMs(): number {
    if (this.#leadership.isLeader) return 0;
    return (this.#hasStarted ? this.#node?.lastContactMs : undefined) ?? NEVER_MS;
  }

  get appliedIndex(): number {
    return this.#fsm.store.appliedIndex;
  }

  get term(): number {
    return this.#leadership.status?.term ?? 0;
  }

  configuration(): RaftConfiguration {
    return configurationOf(this.#nodeStatus(), this.#ports.nameOf);
  }

  stats(): RaftStats {
    return statsOf(this.#config.nodeId, this.#nodeStatus());
  }

  onLeadershipChange(listener: (isLeader: boolean) => void): () => void {
    return this.#leadership.onLeadershipChange(listener);
  }

  onLeaderChange(listener: () => void): () => void {
    return this.#leadership.onLeaderChange(listener);
  }

  restore(state: Uint8Array): Promise<number> {
    return restoreThroughLog(state, { ...this.#ports, propose: (command) => this.propose(command) });
  }

  setServer(id: string, address: string, votes: boolean): Promise<void> {
    return this.#change({ id, to: votes ? 'voter' : 'learner', address });
  }

  removeServer(id: string): Promise<void> {
    return this.#change({ id, to: 'none' });
  }

  async transferLeadership(id?: string): Promise<void> {
    await translated(this.#running().transferLeadership(id));
  }

  /** One change at a time: another one's second phase is waited for. */
  async #change(change: Parameters<RaftNode['changeMembership']>[0][number]): Promise<void> {
    const { clock } = this.#ports;
    const deadlineMs = clock.monotonic() + CHANGE_WAIT_MS;
    for (;;) {
      try {
        await this.#running().changeMembership([change]);
        return;
      } catch (thrown) {
        if (!(thrown instanceof RaftError && PASSING.has(thrown.code)) || clock.monotonic() >= deadlineMs) throw fromRaft(thrown);
      }
      await sleep(clock, CHANGE_RETRY_MS);
    }
  }

  async #bootstrap(clusterId: string, servers: readonly Voter[]): Promise<void> {
    const voters = servers.map(({ id }) => id).sort();
    const addresses = Object.fromEntries(servers.map(({ id, address }) => [id, address]));
    // First the log: a crash in between leaves a server that belongs to no cluster, with a log that nobody else has seen.
    await RaftNode.bootstrap(this.#ports.storage.log, { ...EMPTY_MEMBERSHIP, voters, addresses });
    await this.#adopt(clusterId);
  }

  async #adopt(clusterId: string): Promise<void> {
    await this.#home?.adopt(clusterId);
    await this.#run(clusterId);
  }

  async #orFail(formed: Promise<void>): Promise<void> {
    try {
      await formed;
    } catch (thrown) {
      const error = fromRaft(thrown);
      // How much of it the disk has is not known: only reading it anew, at the next start, tells.
      this.#fail(error);
      throw error;
    }
  }

  #fail(error: Error): void {
    // A log that was closed on purpose has not failed.
    if (this.#hasFailed || this.#leadership.isClosed) return;
    this.#ports.logger.error('the log has failed; this server takes no part until it is restarted', { error });
    this.#hasFailed = true;
    this.#leadership.lost();
  }

  async #run(clusterId: string): Promise<void> {
    const { storage, createTransport } = this.#ports;
    this.#clusterId = clusterId;
    await this.participants.load(clusterId);
    const { snapshotThreshold, snapshotIntervalMs, trailingLogs, nodeId: id, raftTiming } = this.#config;
    const limits = { snapshotEntries: snapshotThreshold, snapshotIntervalMs, trailingEntries: trailingLogs };
    const node = new RaftNode(
      { id, ...raftTiming, ...DEFAULT_LIMITS, ...DEFAULT_NODE_LIMITS, ...limits },
      {
        ...this.#ports,
        log: storage.log,
        snapshots: storage.snapshots,
        transport: createTransport(clusterId),
        machine: this.#machine,
        onFailure: (error) => this.#fail(error),
      },
    );
    this.#node = node;
    node.onStatus((status) => this.#leadership.follow(status));
    await node.start();
    this.#hasStarted = true;
    const status = node.status();
    this.#leadership.follow(status);
    // It is a matter of its disk.
    if (isSoleVoter(status.membership, id)) await this.#leadership.decided(() => this.#hasFailed);
  }

  /** Undefined while the log is still being read: other servers, and autopilot, ask already. */
  #nodeStatus(): NodeStatus | undefined {
    return this.#hasStarted ? this.#node?.status() : undefined;
  }

  #running(): RaftNode {
    if (this.#node === undefined) throw noLeader();
    return this.#node;
  }

  #mustBeFree(): void {
    if (this.#clusterId !== '') throw new LictorError('rejected', `this server belongs to cluster ${this.#clusterId} already`);
  }
}
