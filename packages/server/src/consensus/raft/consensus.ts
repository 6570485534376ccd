import { crc32 } from 'node:zlib';
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
  isVoter,
  type LogStore,
  membersOf,
  RaftError,
  type RaftErrorCode,
  RaftNode,
  type NodeStatus,
  type Transport,
} from '@lictor/raft';
import { encodeCommand } from '../../fsm/codec.ts';
import { RESTORE_BEGIN, RESTORE_CHUNK, RESTORE_COMMIT } from '../../fsm/commands/restore.ts';
import type { Fsm } from '../../fsm/fsm.ts';
import type { Command } from '../../fsm/types.ts';
import type { Applied, Consensus } from '../port.ts';
import { fromRaft } from './errors.ts';
import { RaftHome } from './home.ts';
import { type Applied as AppliedOutcome, FsmMachine } from './machine.ts';
import { recoverPeers } from './recover-peers.ts';
import type { RaftStorage } from './storage.ts';

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

/** What a server says that has not heard a leader yet: nothing it has is new enough. Consul's figure, the longest of Go's durations. */
const NEVER_MS = 9_223_372_036_854;
/** A change of the membership has two phases, and a leader's first entry goes before: moments, when a quorum is there. */
const CHANGE_WAIT_MS = 5000;
const CHANGE_RETRY_MS = 20;
/** What may be over by then: an earlier change; voters that have not answered this leader yet. */
const PASSING: ReadonlySet<RaftErrorCode> = new Set(['membership-pending', 'quorum-silent']);
const RESTORE_CHUNK_BYTES = 512 * 1024;
/** Parts of a restore that wait for their quorum at once. */
const RESTORE_IN_FLIGHT = 8;

/**
 * The replicated log of a server. Until the server knows which cluster it belongs to there is no log: it has no leader, and waits for
 * `bootstrap` or `join`.
 */
export class RaftConsensus implements Consensus {
  readonly #config: RaftConsensusConfig;
  readonly #ports: RaftConsensusPorts;
  readonly #fsm: Fsm;
  readonly #machine: FsmMachine;
  readonly #home: RaftHome | undefined;
  readonly #leadershipListeners = new Set<(isLeader: boolean) => void>();
  readonly #leaderListeners = new Set<() => void>();
  #node: RaftNode | undefined;
  #hasStarted = false;
  #clusterId = '';
  #status: NodeStatus | undefined;
  #isLeader = false;
  #isStopped = false;
  #hasFailed = false;

  constructor(config: RaftConsensusConfig, fsm: Fsm, ports: RaftConsensusPorts) {
    this.#config = config;
    this.#fsm = fsm;
    this.#ports = ports;
    this.#machine = new FsmMachine(fsm, ports.clock);
    this.#home = ports.storage.files === null ? undefined : new RaftHome(ports.storage.files, config.nodeId);
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
        await this.bootstrap(randomUuid(random), [{ id: this.#config.nodeId, address: this.#config.rpcAddress }]);
      }
    } catch (thrown) {
      await storage.log.close();
      throw fromRaft(thrown);
    }
  }

  /** Makes a cluster of these servers; each of them is told its id, and calls `join`. @throws LictorError `rejected`: it has one */
  async bootstrap(clusterId: string, servers: readonly { readonly id: string; readonly address: string }[]): Promise<void> {
    this.#mustBeFree();
    const voters = servers.map(({ id }) => id).sort();
    const addresses = Object.fromEntries(servers.map(({ id, address }) => [id, address]));
    // First the log: a crash in between leaves a server that belongs to no cluster, with a log that nobody else has seen.
    await RaftNode.bootstrap(this.#ports.storage.log, { ...EMPTY_MEMBERSHIP, voters, addresses });
    await this.#home?.adopt(clusterId);
    await this.#run(clusterId);
  }

  /** Takes part in a cluster from now on; its leader sends the log. */
  async join(clusterId: string): Promise<void> {
    this.#mustBeFree();
    await this.#home?.adopt(clusterId);
    await this.#run(clusterId);
  }

  async stop(): Promise<void> {
    this.#setLeader(false);
    this.#follow(undefined);
    this.#isStopped = true;
    if (this.#node === undefined) await this.#ports.storage.log.close();
    else await this.#node.stop();
  }

  async propose<Result>(command: Command): Promise<Applied<Result>> {
    const { index, outcome } = await this.#propose(encodeCommand(command));
    if (!outcome.ok) throw outcome.error;
    return { index, result: outcome.result as Result };
  }

  async barrier(): Promise<void> {
    await this.#running()
      .read('quorum')
      .catch((thrown: unknown) => Promise.reject(fromRaft(thrown)));
  }

  get mayAnswerReads(): boolean {
    return this.#isLeader && this.#node?.canAnswerReads() === true;
  }

  async leaseBarrier(): Promise<void> {
    await this.#running()
      .read('lease')
      .catch((thrown: unknown) => Promise.reject(fromRaft(thrown)));
  }

  get isLeader(): boolean {
    return this.#isLeader;
  }

  get leaderId(): string {
    return this.#status?.leader ?? '';
  }

  get leaderAddress(): string {
    return this.#status?.leaderAddress ?? '';
  }

  get lastContactMs(): number {
    if (this.#isLeader) return 0;
    return (this.#hasStarted ? this.#node?.lastContactMs : undefined) ?? NEVER_MS;
  }

  get appliedIndex(): number {
    return this.#fsm.store.appliedIndex;
  }

  get term(): number {
    return this.#status?.term ?? 0;
  }

  configuration(): RaftConfiguration {
    const status = this.#nodeStatus();
    if (status === undefined) return { Servers: [], Index: 0 };
    const { membership, leader, id: ownId } = status;
    const lastIndexes = new Map(status.peers.map((peer) => [peer.id, peer.match]));
    lastIndexes.set(ownId, status.lastIndex);
    const Servers = membersOf(membership).map((id) => ({
      ID: id,
      Node: this.#ports.nameOf(id),
      Address: membership.addresses[id] ?? '',
      Leader: id === leader,
      ProtocolVersion: '3',
      Voter: isVoter(membership, id),
      LastIndex: lastIndexes.get(id) ?? 0,
    }));
    return { Servers, Index: 0 };
  }

  stats(): RaftStats {
    const status = this.#nodeStatus();
    if (status === undefined) return { id: this.#config.nodeId, ...NO_STATS };
    const { role, term, lastIndex, lastTerm, committed, applied, snapshotIndex, snapshotTerm, lastContactMs, membership, id } = status;
    return {
      id,
      state: role === 'leader' ? 'Leader' : role === 'follower' ? 'Follower' : 'Candidate',
      term,
      lastLogIndex: lastIndex,
      lastLogTerm: lastTerm,
      commitIndex: committed,
      appliedIndex: applied,
      lastSnapshotIndex: snapshotIndex,
      lastSnapshotTerm: snapshotTerm,
      lastContactMs,
      numPeers: membersOf(membership).filter((member) => member !== id && isVoter(membership, member)).length,
    };
  }

  onLeadershipChange(listener: (isLeader: boolean) => void): () => void {
    this.#leadershipListeners.add(listener);
    return () => void this.#leadershipListeners.delete(listener);
  }

  onLeaderChange(listener: () => void): () => void {
    this.#leaderListeners.add(listener);
    return () => void this.#leaderListeners.delete(listener);
  }

  async restore(state: Uint8Array): Promise<number> {
    const { clock, random } = this.#ports;
    const id = randomUuid(random);
    const send = (type: string, body: unknown): Promise<Applied<unknown>> => this.propose({ type, version: 1, timeMs: clock.now(), body });
    await send(RESTORE_BEGIN, { id });
    const chunks = Math.ceil(state.length / RESTORE_CHUNK_BYTES);
    for (let from = 0; from < chunks; from += RESTORE_IN_FLIGHT) {
      const numbers = Array.from({ length: Math.min(RESTORE_IN_FLIGHT, chunks - from) }, (_, at) => from + at);
      await Promise.all(
        numbers.map((number) => {
          const bytes = state.subarray(number * RESTORE_CHUNK_BYTES, (number + 1) * RESTORE_CHUNK_BYTES);
          return send(RESTORE_CHUNK, { id, number, bytes });
        }),
      );
    }
    const { index } = await send(RESTORE_COMMIT, { id, chunks, checksum: crc32(state) });
    return index;
  }

  setServer(id: string, address: string, votes: boolean): Promise<void> {
    return this.#change({ id, to: votes ? 'voter' : 'learner', address });
  }

  removeServer(id: string): Promise<void> {
    return this.#change({ id, to: 'none' });
  }

  async transferLeadership(id?: string): Promise<void> {
    await this.#running()
      .transferLeadership(id)
      .catch((thrown: unknown) => Promise.reject(fromRaft(thrown)));
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

  async #propose(bytes: Uint8Array): Promise<AppliedOutcome> {
    try {
      return (await this.#running().propose(bytes)).result as AppliedOutcome;
    } catch (thrown) {
      throw fromRaft(thrown);
    }
  }

  async #run(clusterId: string): Promise<void> {
    const { storage, createTransport, logger } = this.#ports;
    this.#clusterId = clusterId;
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
        onFailure: (error) => {
          logger.error('the log has failed; this server takes no part until it is restarted', { error });
          this.#hasFailed = true;
          this.#follow(undefined);
          for (const listener of this.#leaderListeners) listener();
        },
      },
    );
    this.#node = node;
    node.onStatus((status) => this.#follow(status));
    await node.start();
    this.#hasStarted = true;
    const status = node.status();
    this.#follow(status);
    const { voters, outgoing } = status.membership;
    // Nobody else can lead: it is a matter of its disk.
    if (voters.length === 1 && voters[0] === id && outgoing.length === 0) await this.#untilLeading();
  }

  #untilLeading(): Promise<void> {
    if (this.#isLeader || this.#hasFailed) return Promise.resolve();
    return new Promise((resolve) => {
      const unsubscribe = this.onLeaderChange(() => {
        if (!this.#isLeader && !this.#hasFailed) return;
        unsubscribe();
        resolve();
      });
    });
  }

  #follow(status: NodeStatus | undefined): void {
    if (this.#isStopped) return;
    const before = this.#status;
    this.#status = status;
    if (status?.role !== 'leader') this.#setLeader(false);
    else if (before?.role !== 'leader' || before.term !== status.term) void this.#takeOver(status.term);
    if (before?.leader === status?.leader && before?.leaderAddress === status?.leaderAddress) return;
    for (const listener of this.#leaderListeners) listener();
  }

  /** A new leader answers and writes once it has applied what its predecessors have committed. */
  async #takeOver(term: number): Promise<void> {
    this.#setLeader(false);
    try {
      await this.#node?.read('quorum');
    } catch {
      // It does not lead any more: the next status says so.
      return;
    }
    if (this.#status?.role === 'leader' && this.#status.term === term) this.#setLeader(true);
  }

  #setLeader(isLeader: boolean): void {
    if (this.#isLeader === isLeader) return;
    this.#isLeader = isLeader;
    for (const listener of this.#leadershipListeners) listener(isLeader);
    for (const listener of this.#leaderListeners) listener();
  }

  /** Undefined while the log is still being read: other servers, and autopilot, ask already. */
  #nodeStatus(): NodeStatus | undefined {
    return this.#hasStarted ? this.#node?.status() : undefined;
  }

  #running(): RaftNode {
    if (this.#node === undefined) throw new LictorError('no-leader', 'No cluster leader');
    return this.#node;
  }

  #mustBeFree(): void {
    if (this.#clusterId !== '') throw new LictorError('rejected', `this server belongs to cluster ${this.#clusterId} already`);
  }
}

/**
 * A crash in the middle of `bootstrap` leaves a log with its first entry only, of a cluster that does not exist.
 * @throws LictorError for any other log without a cluster
 */
async function discardUnclaimed(log: LogStore): Promise<void> {
  const { hardState, entries } = await log.load();
  if (hardState.term === 0 && entries.length === 0) return;
  if (hardState.term > 1 || hardState.commit > 0 || entries.length > 1) {
    throw new LictorError(
      'internal',
      'the data directory has a raft log, but the file that names its cluster (raft/cluster.json) is missing',
    );
  }
  await log.clear();
  await log.write({ hardState: { term: 0, vote: undefined, commit: 0 }, entries: [] });
}

const NO_STATS: Omit<RaftStats, 'id'> = {
  state: 'Follower',
  term: 0,
  lastLogIndex: 0,
  lastLogTerm: 0,
  commitIndex: 0,
  appliedIndex: 0,
  lastSnapshotIndex: 0,
  lastSnapshotTerm: 0,
  lastContactMs: undefined,
  numPeers: 0,
};
