import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Clock, LictorError, type Logger, type Metrics, type RaftConfiguration, type Timer } from '@lictor/protocol';
import { encodeCommand } from '../../fsm/codec.ts';
import type { Fsm, LogEntry, Outcome } from '../../fsm/fsm.ts';
import { decodeSnapshot, encodeSnapshot, inSlices } from '../../fsm/snapshot/index.ts';
import type { Command } from '../../fsm/types.ts';
import { ALL_TABLES } from '../../state/tables/index.ts';
import type { Applied, Consensus, RaftStats } from '../port.ts';
import type { Recovered, Storage } from './storage.ts';

export interface SingleNodeConfig {
  readonly nodeId: string;
  readonly nodeName: string;
  /** `ip:port` that other nodes would reach this one at. */
  readonly rpcAddress: string;
  readonly snapshotThreshold: number;
  readonly snapshotIntervalMs: number;
}

export interface SingleNodePorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly storage: Storage;
}

interface Proposal {
  readonly bytes: Uint8Array;
  readonly startMs: number;
  readonly resolve: (applied: Applied<never>) => void;
  readonly reject: (error: LictorError) => void;
}

/** Something to be done alone, between two batches. */
type Exclusive = () => Promise<void>;

/** What one durable write takes at most. */
const MAX_BATCH_ENTRIES = 4096;
const MAX_BATCH_BYTES = 16 * 1024 * 1024;
/** How long applying may keep the event loop, ms, looked at after each slice of entries. */
const APPLY_TURN_MS = 5;
const APPLY_SLICE = 64;
/** A state of so few rows is written at stop, so that the next start has nothing to replay. */
const CHEAP_SNAPSHOT_ROWS = 10_000;

/** The log of a server without peers: it leads from start to stop, and what its disk has is committed. */
export class SingleNodeConsensus implements Consensus {
  readonly #config: SingleNodeConfig;
  readonly #fsm: Fsm;
  readonly #ports: SingleNodePorts;
  readonly #listeners = new Set<(isLeader: boolean) => void>();
  readonly #exclusive: Exclusive[] = [];
  #queue: Proposal[] = [];
  #isLeader = false;
  #running: Promise<void> | undefined;
  #snapshotting: Promise<void> | undefined;
  #snapshotTimer: Timer | undefined;
  #snapshotIndex = 0;
  #term = 0;
  /** Why nothing can be written any more. */
  #fault: LictorError | undefined;

  constructor(config: SingleNodeConfig, fsm: Fsm, ports: SingleNodePorts) {
    this.#config = config;
    this.#fsm = fsm;
    this.#ports = ports;
  }

  async start(): Promise<void> {
    const { clock, metrics, logger } = this.#ports;
    const recovered = await this.#recover();
    this.#term = recovered.term;
    this.#snapshotIndex = recovered.snapshotIndex;
    logger.info('log opened', { term: this.#term, snapshot_index: this.#snapshotIndex, applied_index: this.appliedIndex });
    metrics.incrCounter('raft.state.leader');
    this.#setLeader(true);
    this.#snapshotTimer = clock.setTimer(this.#config.snapshotIntervalMs, () => this.#snapshotTick());
  }

  async stop(): Promise<void> {
    this.#setLeader(false);
    this.#snapshotTimer?.cancel();
    await this.#running;
    await this.#snapshotting;
    await this.#snapshotAtStop();
    await this.#ports.storage.close();
  }

  /** Spares the next start the replay; without it nothing is lost. */
  async #snapshotAtStop(): Promise<void> {
    const isBehind = this.appliedIndex > this.#snapshotIndex && this.#fault === undefined;
    if (!isBehind || this.#fsm.store.rowCount > CHEAP_SNAPSHOT_ROWS) return;
    try {
      await this.#snapshot();
    } catch (error) {
      this.#ports.logger.warn('no snapshot could be taken at stop', { error });
    }
  }

  /** A start that fails leaves no file open. */
  async #recover(): Promise<Recovered> {
    const { storage } = this.#ports;
    try {
      return await storage.open({
        restore: (_index, state) => this.#load(state),
        replay: (entries) => void this.#fsm.apply(entries),
      });
    } catch (thrown) {
      await storage.close();
      throw thrown;
    }
  }

  propose<Result>(command: Command): Promise<Applied<Result>> {
    return new Promise((resolve, reject) => {
      this.#assertLeader();
      const bytes = encodeCommand(command);
      this.#queue.push({ bytes, startMs: this.#ports.clock.monotonic(), resolve: resolve as Proposal['resolve'], reject });
      this.#running ??= this.#run();
    });
  }

  async barrier(): Promise<void> {
    // What is acknowledged is applied, and nobody else can lead.
    this.#assertLeader();
  }

  get mayAnswerReads(): boolean {
    return this.#isLeader;
  }

  leaseBarrier(): Promise<void> {
    return this.barrier();
  }

  get leaderId(): string {
    return this.#isLeader ? this.#config.nodeId : '';
  }

  get isLeader(): boolean {
    return this.#isLeader;
  }

  get leaderAddress(): string {
    return this.#isLeader ? this.#config.rpcAddress : '';
  }

  get lastContactMs(): number {
    return 0;
  }

  get appliedIndex(): number {
    return this.#fsm.store.appliedIndex;
  }

  get term(): number {
    return this.#term;
  }

  configuration(): RaftConfiguration {
    const server = {
      ID: this.#config.nodeId,
      Node: this.#config.nodeName,
      Address: this.#config.rpcAddress,
      Leader: this.#isLeader,
      ProtocolVersion: '3',
      Voter: true,
      LastIndex: this.appliedIndex,
    };
    return { Servers: [server], Index: 0 };
  }

  stats(): RaftStats {
    return {
      state: this.#isLeader ? 'Leader' : 'Follower',
      term: this.#term,
      lastLogIndex: this.appliedIndex,
      lastLogTerm: this.#term,
      commitIndex: this.appliedIndex,
      appliedIndex: this.appliedIndex,
      lastSnapshotIndex: this.#snapshotIndex,
      lastSnapshotTerm: this.#term,
      lastContactMs: 0,
      numPeers: 0,
    };
  }

  onLeaderChange(): () => void {
    return () => undefined;
  }

  setServer(): Promise<void> {
    return Promise.reject(new LictorError('unavailable', 'this server takes no peers'));
  }

  removeServer(): Promise<void> {
    return Promise.reject(new LictorError('rejected', 'removing the only voter would leave the cluster without a leader'));
  }

  transferLeadership(): Promise<void> {
    return Promise.reject(new LictorError('rejected', 'cannot find peer'));
  }

  onLeadershipChange(listener: (isLeader: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  restore(state: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#assertLeader();
      this.#exclusive.push(() => this.#restore(state).then(resolve, reject));
      this.#running ??= this.#run();
    });
  }

  /** One batch after the other: what arrives while one is being written forms the next. */
  async #run(): Promise<void> {
    // A turn later, so that proposals of the same turn share the first batch too.
    await Promise.resolve();
    while (this.#queue.length > 0 || this.#exclusive.length > 0) {
      const committing = this.#queue.length > 0 ? this.#commit(this.#takeBatch()) : undefined;
      if (committing !== undefined) await committing;
      for (let task = this.#exclusive.shift(); task !== undefined; task = this.#exclusive.shift()) await task();
    }
    this.#running = undefined;
  }

  #commit(batch: readonly Proposal[]): Promise<void> | undefined {
    const { clock, metrics, storage } = this.#ports;
    const first = this.appliedIndex + 1;
    const entries = batch.map((proposal, offset): LogEntry => ({ index: first + offset, bytes: proposal.bytes }));
    const startMs = clock.monotonic();
    const written = storage.append(entries);
    if (written === undefined) return this.#apply(batch, entries, 0);
    return written.then(
      () => {
        metrics.addSample('raft.leader.dispatchLog', clock.monotonic() - startMs);
        metrics.setGauge('raft.leader.dispatchNumLogs', entries.length);
        return this.#apply(batch, entries, 0);
      },
      (thrown: unknown) => this.#failWrites(batch, thrown),
    );
  }

  /** A slice at a time, and others get their turn when it takes long. Each proposer is answered with its slice. */
  #apply(batch: readonly Proposal[], entries: readonly LogEntry[], from: number): Promise<void> | undefined {
    const { clock, metrics } = this.#ports;
    const startMs = clock.monotonic();
    let nowMs = startMs;
    let next = from;
    while (next < entries.length && nowMs - startMs < APPLY_TURN_MS) {
      const slice = entries.slice(next, next + APPLY_SLICE);
      this.#answer(batch, next, this.#fsm.apply(slice));
      next += slice.length;
      nowMs = clock.monotonic();
    }
    metrics.incrCounter('raft.apply', next - from);
    metrics.addSample('raft.fsm.apply', nowMs - startMs);
    metrics.addSample('raft.commitTime', nowMs - (batch[from]?.startMs ?? nowMs));
    metrics.setGauge('raft.applied_index', this.appliedIndex);
    metrics.setGauge('raft.last_index', this.appliedIndex + entries.length - next);
    return next < entries.length ? nextTurn().then(() => this.#apply(batch, entries, next)) : undefined;
  }

  #answer(batch: readonly Proposal[], from: number, outcomes: readonly Outcome[]): void {
    const first = this.appliedIndex - outcomes.length + 1;
    outcomes.forEach((outcome, position) => {
      const proposal = batch[from + position];
      if (proposal === undefined) return;
      if (outcome.ok) proposal.resolve({ index: first + position, result: outcome.result as never });
      else proposal.reject(outcome.error);
    });
  }

  /** The disk did not take a batch: nobody can tell how much of it is there, so nothing may follow it. */
  #failWrites(batch: readonly Proposal[], thrown: unknown): void {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    this.#ports.logger.error('writing the log failed; this node takes no more writes until it is restarted', { error: thrown });
    this.#ports.metrics.incrCounter('raft.log_write_fault');
    this.#fault = new LictorError('unavailable', `the log cannot be written: ${reason}`, { cause: thrown });
    for (const proposal of batch)
      proposal.reject(new LictorError('outcome-unknown', `writing the log failed: ${reason}`, { cause: thrown }));
    for (const proposal of this.#queue) proposal.reject(this.#fault);
    this.#queue = [];
    this.#setLeader(false);
  }

  #takeBatch(): Proposal[] {
    let bytes = 0;
    let count = 0;
    for (const proposal of this.#queue) {
      bytes += proposal.bytes.length;
      if (count > 0 && (count >= MAX_BATCH_ENTRIES || bytes > MAX_BATCH_BYTES)) break;
      count++;
    }
    if (count < this.#queue.length) return this.#queue.splice(0, count);
    const batch = this.#queue;
    this.#queue = [];
    return batch;
  }

  /** False when the bytes are damaged. */
  async #load(state: Uint8Array): Promise<boolean> {
    try {
      const decoded = await inSlices(this.#ports.clock, decodeSnapshot(state, ALL_TABLES));
      this.#fsm.store.replace(decoded.tables, decoded.lastIndex);
      return true;
    } catch (thrown) {
      this.#ports.logger.error('reading a snapshot failed', { error: thrown });
      return false;
    }
  }

  /** The new state gets an index above everything that was, so that no reader mistakes it for the old one. */
  async #restore(state: Uint8Array): Promise<number> {
    const { clock, storage } = this.#ports;
    const { store } = this.#fsm;
    const decoded = await inSlices(clock, decodeSnapshot(state, ALL_TABLES));
    const index = Math.max(decoded.lastIndex, store.appliedIndex) + 1;
    await this.#snapshotting;
    store.replace(decoded.tables, index);
    try {
      await storage.replaceAll(index, this.#slices());
    } catch (thrown) {
      this.#failWrites([], thrown);
      throw new LictorError('outcome-unknown', 'writing the restored state failed', { cause: thrown });
    }
    this.#snapshotIndex = index;
    return index;
  }

  #snapshotTick(): void {
    const { clock, logger } = this.#ports;
    this.#snapshotTimer = clock.setTimer(this.#config.snapshotIntervalMs, () => this.#snapshotTick());
    if (this.#snapshotting !== undefined || this.appliedIndex - this.#snapshotIndex < this.#config.snapshotThreshold) return;
    this.#snapshotting = this.#snapshot()
      .catch((thrown: unknown) => logger.error('taking a snapshot failed; it is tried again', { error: thrown }))
      .finally(() => {
        this.#snapshotting = undefined;
      });
  }

  async #snapshot(): Promise<void> {
    const { clock, metrics, storage, logger } = this.#ports;
    const startMs = clock.monotonic();
    const index = this.appliedIndex;
    await storage.saveSnapshot(index, this.#slices());
    this.#snapshotIndex = index;
    metrics.addSample('raft.snapshot.create', clock.monotonic() - startMs);
    logger.info('snapshot taken', { index });
  }

  /** The state as it is at the call, in slices with pauses between them. */
  #slices(): AsyncGenerator<Uint8Array> {
    return slicesOf(encodeSnapshot(this.#fsm.store.snapshot()));
  }

  #assertLeader(): void {
    if (this.#fault !== undefined) throw this.#fault;
    if (!this.#isLeader) throw new LictorError('no-leader', 'No cluster leader');
  }

  #setLeader(isLeader: boolean): void {
    if (this.#isLeader === isLeader) return;
    this.#isLeader = isLeader;
    for (const listener of this.#listeners) listener(isLeader);
  }
}

/** Each slice is written before the next is made, so the disk's pace gives the pauses. */
async function* slicesOf(slices: Generator<Uint8Array, void, undefined>): AsyncGenerator<Uint8Array> {
  yield* slices;
}
