import type { Timer } from '@lictor/protocol';
import type { Effects, PersistBatch, Status } from '../core/effects.ts';
import type { Entry, Membership, SnapshotMeta } from '../core/entry.ts';
import { RaftError } from '../core/errors.ts';
import { isSoleVoter, membersOf } from '../core/membership.ts';
import type { Message } from '../core/message.ts';
import type { Recovered } from '../core/options.ts';
import { Raft } from '../core/raft.ts';
import { Applier } from './applier.ts';
import { LogWriter, type Written } from './log-writer.ts';
import { MembershipChanges } from './membership-changes.ts';
import { NodeMetrics } from './node-metrics.ts';
import { otherAddresses, transferTarget } from './node-status.ts';
import type { NodeOptions, NodePorts } from './options.ts';
import { ProposalQueue } from './proposal-queue.ts';
import { SnapshotExchange } from './snapshot-exchange.ts';
import { Snapshotter } from './snapshotter.ts';
import { StallWatch } from './stall-watch.ts';
import { type Applied, IndexWaiters, Proposals, type Waiter } from './waiters.ts';

const ALONE_TICK_MS = 1000;

export interface EngineEvents {
  /** Role, term, leader or membership. */
  changed(): void;
}

/** Between the start and the end of one server: gives the core its inputs, and carries out its effects. */
export class Engine {
  readonly raft: Raft;
  readonly applier: Applier;
  readonly snapshotter: Snapshotter;
  readonly #options: NodeOptions;
  readonly #ports: NodePorts;
  readonly #events: EngineEvents;
  readonly #writer: LogWriter;
  readonly #exchange: SnapshotExchange;
  readonly #queue: ProposalQueue;
  readonly #metrics: NodeMetrics;
  readonly #stalls: StallWatch;
  readonly #proposals = new Proposals();
  readonly #changes = new MembershipChanges();
  readonly #reads = new Map<number, Waiter<number>>();
  readonly #appliedWaiters = new IndexWaiters();
  #stopped = false;
  #timer: Timer | undefined;
  #membership: Membership | undefined;
  #nextReadId = 1;
  #draining = false;

  constructor(options: NodeOptions, ports: NodePorts, metrics: NodeMetrics, recovered: Recovered, events: EngineEvents) {
    this.#options = options;
    this.#ports = ports;
    this.#events = events;
    this.#metrics = metrics;
    this.#stalls = new StallWatch(options);
    this.#exchange = new SnapshotExchange(ports, metrics);
    this.#queue = new ProposalQueue(
      options,
      () => this.#flushProposals(),
      () => this.#isAlone,
    );
    const { log, machine, clock, random } = ports;
    const { snapshot } = recovered;
    const failed = (error: unknown): void => this.fail(error);
    this.raft = new Raft(options, { random }, recovered, clock.monotonic());
    this.#writer = new LogWriter(log, clock, {
      install: (meta) => this.#install(meta),
      written: (written) => this.#written(written),
      failed,
    });
    this.applier = new Applier(machine, { clock, metrics }, options.applyTurnMs, snapshot.index, {
      applied: (entries, results) => this.#applied(entries, results),
      failed,
    });
    this.snapshotter = new Snapshotter(options, ports, snapshot, {
      metaAt: (at) => this.raft.snapshotAt(at),
      saved: (meta, keepFrom, trimThrough) => this.#compact(meta, keepFrom, trimThrough),
    });
  }

  get isStopped(): boolean {
    return this.#stopped;
  }

  async start(): Promise<void> {
    await this.#ports.transport.start({
      receive: (message) => this.#receive(message),
      receiveSnapshot: (meta) => this.#exchange.receive(meta),
    });
    this.#tick();
    this.#leadAlone();
  }

  async stop(): Promise<void> {
    this.end('this server stops');
    await this.#ports.transport.stop();
    await this.#writer.stop();
    await this.applier.stop();
    await this.snapshotter.stop();
    await this.#ports.log.close();
  }

  // What callers ask for.

  propose(data: Uint8Array): Promise<Applied> {
    return new Promise((resolve, reject) => this.#queue.add(data, { resolve, reject }, this.#writer.isWriting));
  }

  readIndex(): Promise<number> {
    const id = this.#nextReadId++;
    this.#metrics.leaderVerified();
    return new Promise((resolve, reject) => {
      this.#reads.set(id, { resolve, reject });
      this.input(() => this.raft.read(id, this.#ports.clock.monotonic()));
    });
  }

  waitApplied(index: number): Promise<void> {
    if (this.applier.applied >= index) return Promise.resolve();
    return new Promise((resolve, reject) => this.#appliedWaiters.add(index, { resolve, reject }));
  }

  /** Once this membership entry, and the one that ends its joint phase, are committed. */
  membershipCommitted(index: number, term: number): Promise<void> {
    return new Promise((resolve, reject) => this.#changes.add(index, term, { resolve, reject }));
  }

  // Inputs.

  /** An input, and all that it leads to. */
  input(act: () => void): void {
    const { clock } = this.#ports;
    const startMs = clock.monotonic();
    try {
      act();
      this.#drain();
    } catch (thrown) {
      this.fail(thrown);
    }
    this.#metrics.main.add(clock.monotonic() - startMs);
  }

  /** A sole voter asks nobody: nothing is gained by waiting for a timeout. */
  #leadAlone(): void {
    if (!isSoleVoter(this.raft.membership, this.#options.id)) return;
    this.input(() => this.raft.campaign(this.#ports.clock.monotonic()));
  }

  #tick(): void {
    if (this.#stopped) return;
    const { clock } = this.#ports;
    const nowMs = clock.monotonic();
    const tickMs = this.#isAlone ? ALONE_TICK_MS : this.#options.heartbeatMs / 4;
    this.#timer = clock.setTimer(tickMs, () => this.#tick());
    this.input(() => {
      this.#watchStalls(nowMs, nowMs + tickMs);
      this.raft.tick(nowMs);
    });
    this.#metrics.tick(this.raft, this.applier.applied, this.#options.id);
  }

  /** It leads, and there is nobody to hear of it: a development server should not wake up for nothing. */
  get #isAlone(): boolean {
    return this.raft.role === 'leader' && membersOf(this.raft.membership).length === 1;
  }

  #watchStalls(nowMs: number, nextMs: number): void {
    const { raft } = this;
    const verdict = this.#stalls.tick({ nowMs, writingSinceMs: this.#writer.sinceMs, isLeader: raft.role === 'leader' }, nextMs);
    if (verdict === 'lead') return;
    const heir = transferTarget(raft, this.#options.id);
    if (heir === undefined) return;
    const { logger, metrics } = this.#ports;
    logger.warn('this leader stalls: another server should lead', { stalledMs: Math.round(this.#stalls.stalledMs), verdict, heir });
    metrics.incrCounter('raft.leader.stalled', 1);
    if (verdict === 'step-down') raft.stepDown(nowMs);
    else if (!raft.isTransferring) raft.transferLeadership(heir, nowMs);
  }

  #receive(message: Message): void {
    if (this.#stopped) return;
    if (message.type === 'snapshot' && !this.#exchange.has(message)) return;
    const { clock } = this.#ports;
    this.#metrics.replication.received(message);
    this.input(() => {
      const startMs = clock.monotonic();
      this.raft.step(message, startMs);
      this.#metrics.handled(message.type, clock.monotonic() - startMs);
    });
  }

  #flushProposals(): void {
    if (this.#stopped) return;
    this.input(() => {
      for (const batch of this.#queue.take()) {
        try {
          const { index, term } = this.raft.propose(
            batch.map(({ data }) => data),
            this.#ports.clock.monotonic(),
          );
          for (const [position, waiter] of batch.entries()) this.#proposals.add(index + position, term, waiter);
          this.#metrics.proposed(index, batch.length);
        } catch (thrown) {
          if (!(thrown instanceof RaftError)) throw thrown;
          const error = thrown.code === 'not-leader' ? this.notLeader() : thrown;
          for (const { reject } of batch) reject(error);
        }
      }
    });
  }

  // Effects.

  #drain(): void {
    if (this.#draining || this.#stopped) return;
    this.#draining = true;
    try {
      for (let busy = true; busy && !this.#isStopped(); ) busy = this.#carryOut(this.raft.takeEffects());
    } finally {
      this.#draining = false;
    }
  }

  #isStopped(): boolean {
    return this.#stopped;
  }

  #carryOut({ messages, persist, committed, reads, status }: Effects): boolean {
    const isOtherMembership = this.#followMembership();
    for (const message of messages) this.#send(message);
    if (persist !== undefined) {
      if (persist.snapshot !== undefined) this.#exchange.beginInstall();
      this.#writer.push(persist);
    }
    if (committed.length > 0) {
      this.#metrics.committed(committed);
      this.applier.push(committed);
    }
    for (const { id, index } of reads) this.#answerRead(id, index);
    this.#changes.settle(this.raft);
    if (status !== undefined) this.#statusChanged(status);
    const isNews = status !== undefined || isOtherMembership;
    // Who hears of it may give the core more to do.
    if (isNews) this.#events.changed();
    return isNews || messages.length > 0 || persist !== undefined || committed.length > 0 || reads.length > 0;
  }

  #send(message: Message): void {
    if (message.type !== 'snapshot') {
      this.#metrics.replication.sent(message);
      this.#ports.transport.send(message);
      return;
    }
    void this.#exchange.send(message).then((delivered) => {
      if (!this.#stopped) this.input(() => this.raft.snapshotSent(message.to, delivered, this.#ports.clock.monotonic()));
    });
  }

  #written(written: Written): void {
    if (this.#stopped) return;
    const nowMs = this.#ports.clock.monotonic();
    const { batches, entries, tookMs, waitedMs } = written;
    this.#metrics.written(entries, tookMs, waitedMs, batches.some(hasAcknowledgement));
    this.input(() => {
      for (const { messages, token } of batches) {
        for (const message of messages) this.#send(message);
        this.raft.persisted(token, nowMs);
      }
    });
    this.#flushProposals();
  }

  async #install(meta: SnapshotMeta): Promise<void> {
    await this.applier.idle();
    await this.#exchange.install(meta);
    this.applier.applied = meta.index;
    this.snapshotter.installed(meta);
    await this.#ports.log.clear();
    this.#proposals.skippedTo(meta.index);
    this.#appliedWaiters.applied(meta.index);
  }

  #applied(entries: readonly Entry[], results: readonly unknown[]): void {
    for (const [position, entry] of entries.entries()) this.#proposals.applied(entry, results[position]);
    this.#appliedWaiters.applied(this.applier.applied);
    if (!this.#stopped) this.snapshotter.applied(entries);
  }

  #compact(meta: SnapshotMeta, keepFrom: number, trimThrough: number): void {
    if (this.#stopped) return;
    this.input(() => this.raft.compact(meta, keepFrom));
    this.#writer.run(() => this.#ports.log.trim(trimThrough));
  }

  #answerRead(id: number, index: number | undefined): void {
    const waiter = this.#reads.get(id);
    this.#reads.delete(id);
    if (index === undefined) waiter?.reject(this.notLeader());
    else waiter?.resolve(index);
  }

  #statusChanged(status: Status): void {
    const { role, term, leader } = status;
    this.#ports.logger.info('raft status', { role, term, leader });
    this.#metrics.status(status);
    const ledTerm = role === 'leader' ? term : undefined;
    this.#proposals.leadershipLost(ledTerm, this.raft.committed);
    this.#changes.leadershipLost(ledTerm);
  }

  /** Whether it is another one. */
  #followMembership(): boolean {
    const { membership } = this.raft;
    if (membership === this.#membership) return false;
    this.#membership = membership;
    this.#ports.transport.setPeers(otherAddresses(membership, this.#options.id));
    if (this.#timer !== undefined) {
      // Whoever has just come waits for heartbeats.
      this.#timer.cancel();
      this.#timer = this.#ports.clock.setTimer(0, () => this.#tick());
    }
    return true;
  }

  // The end.

  fail(error: unknown): void {
    if (this.#stopped) return;
    const cause = error instanceof Error ? error : new Error(String(error));
    this.#ports.logger.error('raft stops for good', { error: cause.message });
    this.end('this server has failed');
    void this.#ports.transport.stop().catch((thrown: unknown) => {
      this.#ports.logger.warn('the transport did not stop', { error: String(thrown) });
    });
    this.#ports.onFailure(cause);
  }

  /** Leads no more, hears and says nothing more; whoever waits is told. */
  end(why: string): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#timer?.cancel();
    const stopped = new RaftError('stopped', why);
    this.raft.stepDown(this.#ports.clock.monotonic());
    this.#queue.failAll(stopped);
    this.#proposals.failAll(why);
    this.#changes.failAll(why);
    for (const { reject } of this.#reads.values()) reject(stopped);
    this.#reads.clear();
    this.#appliedWaiters.failAll(stopped);
  }

  notLeader(): RaftError {
    if (this.#stopped) return notRunning();
    const { leader } = this.raft;
    return new RaftError('not-leader', leader === undefined ? 'there is no leader' : `the leader is ${leader}`, { leader });
  }
}

export function notRunning(): RaftError {
  return new RaftError('stopped', 'this server is not running');
}

function hasAcknowledgement({ messages }: PersistBatch): boolean {
  return messages.some(({ type }) => type === 'append-reply');
}
