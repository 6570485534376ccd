import { LictorError, type Clock, type Logger, type Metrics, type RaftConfiguration } from '@lictor/protocol';
import { encodeCommand } from '../../fsm/codec.ts';
import type { Fsm, LogEntry } from '../../fsm/fsm.ts';
import type { Command } from '../../fsm/types.ts';
import type { Applied, Consensus } from '../port.ts';
import { forgetfulLog, type EntryLog } from './log.ts';

export interface SingleNodeConfig {
  readonly nodeId: string;
  readonly nodeName: string;
  /** `ip:port` that other nodes would reach this one at. */
  readonly rpcAddress: string;
}

export interface SingleNodePorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

interface Proposal {
  readonly bytes: Uint8Array;
  readonly startMs: number;
  readonly resolve: (applied: Applied<never>) => void;
  readonly reject: (error: LictorError) => void;
}

/** Entries and bytes that one durable write takes at most. */
const MAX_BATCH_ENTRIES = 4096;

/** The log of a server without peers: it leads from start to stop, and what its disk has is committed. */
export function createSingleNodeConsensus(config: SingleNodeConfig, fsm: Fsm, ports: SingleNodePorts): Consensus {
  return new SingleNodeConsensus(config, fsm, ports, forgetfulLog);
}

class SingleNodeConsensus implements Consensus {
  readonly #config: SingleNodeConfig;
  readonly #fsm: Fsm;
  readonly #ports: SingleNodePorts;
  readonly #log: EntryLog;
  readonly #listeners = new Set<(isLeader: boolean) => void>();
  #queue: Proposal[] = [];
  #isLeader = false;
  #running: Promise<void> | undefined;

  constructor(config: SingleNodeConfig, fsm: Fsm, ports: SingleNodePorts, log: EntryLog) {
    this.#config = config;
    this.#fsm = fsm;
    this.#ports = ports;
    this.#log = log;
  }

  async start(): Promise<void> {
    this.#setLeader(true);
  }

  async stop(): Promise<void> {
    this.#setLeader(false);
    await this.#running;
    await this.#log.close();
  }

  propose<Result>(command: Command): Promise<Applied<Result>> {
    return new Promise((resolve, reject) => {
      if (!this.#isLeader) throw new LictorError('no-leader', 'No cluster leader');
      const bytes = encodeCommand(command);
      this.#queue.push({ bytes, startMs: this.#ports.clock.monotonic(), resolve: resolve as Proposal['resolve'], reject });
      this.#running ??= this.#run();
    });
  }

  async barrier(): Promise<void> {
    if (!this.#isLeader) throw new LictorError('no-leader', 'No cluster leader');
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

  onLeadershipChange(listener: (isLeader: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  restore(): Promise<number> {
    return Promise.reject(new LictorError('internal', 'snapshot restore is not wired yet'));
  }

  /** One batch after the other: what arrives while one is being written forms the next. */
  async #run(): Promise<void> {
    // A turn later, so that proposals of the same turn share the first batch too.
    await undefined;
    while (this.#queue.length > 0) {
      const batch = this.#takeBatch();
      await this.#commit(batch);
    }
    this.#running = undefined;
  }

  async #commit(batch: readonly Proposal[]): Promise<void> {
    const first = this.appliedIndex + 1;
    const entries = batch.map((proposal, offset): LogEntry => ({ index: first + offset, bytes: proposal.bytes }));
    const written = this.#log.append(entries);
    if (written !== undefined) await written;
    const outcomes = this.#fsm.apply(entries);
    outcomes.forEach((outcome, position) => {
      const proposal = batch[position];
      if (proposal === undefined) return;
      if (outcome.ok) proposal.resolve({ index: first + position, result: outcome.result as never });
      else proposal.reject(outcome.error);
    });
  }

  #takeBatch(): Proposal[] {
    if (this.#queue.length <= MAX_BATCH_ENTRIES) {
      const batch = this.#queue;
      this.#queue = [];
      return batch;
    }
    return this.#queue.splice(0, MAX_BATCH_ENTRIES);
  }

  #setLeader(isLeader: boolean): void {
    if (this.#isLeader === isLeader) return;
    this.#isLeader = isLeader;
    for (const listener of this.#listeners) listener(isLeader);
  }
}
