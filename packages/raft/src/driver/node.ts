import type { Timer } from '@lictor/protocol';
import type { Effects, PersistBatch, Status } from '../core/effects.ts';
import type { Entry, Membership, NodeId, SnapshotMeta } from '../core/entry.ts';
import { RaftError } from '../core/errors.ts';
import type { MembershipChange } from '../core/membership.ts';
import type { Message } from '../core/message.ts';
import { Raft } from '../core/raft.ts';
import { Applier } from './applier.ts';
import { bootstrap } from './bootstrap.ts';
import { LogWriter } from './log-writer.ts';
import { MembershipChanges } from './membership-changes.ts';
import { nodeStatus, otherAddresses, transferTarget } from './node-status.ts';
import type { NodeOptions, NodePorts, NodeStatus } from './options.ts';
import { ProposalQueue } from './proposal-queue.ts';
import { recover } from './recover.ts';
import { SnapshotExchange } from './snapshot-exchange.ts';
import { Snapshotter } from './snapshotter.ts';
import { type Applied, IndexWaiters, Proposals, type Waiter } from './waiters.ts';

/** What there is only between start and stop. */
interface Parts {
  readonly raft: Raft;
  readonly writer: LogWriter;
  readonly applier: Applier;
  readonly snapshotter: Snapshotter;
}

/**
 * One server of a cluster: the core, with a disk, a network, a clock and a state machine.
 *
 * 1. What is promised to others has been synced; what `propose` resolves with is committed and applied here.
 * 2. An error of the log, or a broken invariant, stops it for good; whoever waits is told, and nothing is sent any more.
 */
export class RaftNode {
  static readonly bootstrap = bootstrap;

  readonly #options: NodeOptions;
  readonly #ports: NodePorts;
  readonly #exchange: SnapshotExchange;
  readonly #queue: ProposalQueue;
  readonly #proposals = new Proposals();
  readonly #changes = new MembershipChanges();
  readonly #reads = new Map<number, Waiter<number>>();
  readonly #appliedWaiters = new IndexWaiters();
  readonly #listeners = new Set<(status: NodeStatus) => void>();
  #parts: Parts | undefined;
  #stopped = false;
  #timer: Timer | undefined;
  #writingSinceMs: number | undefined;
  #membership: Membership | undefined;
  #nextReadId = 1;
  #draining = false;

  constructor(options: NodeOptions, ports: NodePorts) {
    this.#options = options;
    this.#ports = ports;
    this.#exchange = new SnapshotExchange(ports);
    this.#queue = new ProposalQueue(options, () => this.#flushProposals());
  }

  /** @throws RaftError `corrupt`, `storage` */
  async start(): Promise<void> {
    const { log, snapshots, machine, transport, clock, random } = this.#ports;
    const recovered = await recover(log, snapshots, machine).catch(async (thrown: unknown) => {
      await log.close();
      throw thrown;
    });
    const { snapshot } = recovered;
    const fail = (error: unknown): void => this.#fail(error);
    this.#parts = {
      raft: new Raft(this.#options, { random }, recovered, clock.monotonic()),
      writer: new LogWriter(log, {
        install: (meta) => this.#install(meta),
        written: (batches) => this.#written(batches),
        failed: fail,
      }),
      applier: new Applier(machine, this.#options.applyBatch, snapshot.index, {
        applied: (entries, results) => this.#applied(entries, results),
        failed: fail,
      }),
      snapshotter: new Snapshotter(this.#options, this.#ports, snapshot, {
        metaAt: (at) => this.#running().raft.snapshotAt(at),
        saved: (meta, keepFrom, trimThrough) => this.#compact(meta, keepFrom, trimThrough),
      }),
    };
    await transport.start({
      receive: (message) => this.#receive(message),
      receiveSnapshot: (meta) => this.#exchange.receive(meta),
    });
    this.#tick();
    this.#leadAlone();
  }

  /** Does not wait for what is not committed; gives no leadership away: see `transferLeadership`. */
  async stop(): Promise<void> {
    const parts = this.#parts;
    this.#end('this server stops');
    if (parts === undefined) return;
    await this.#ports.transport.stop();
    await parts.writer.stop();
    await parts.applier.stop();
    await parts.snapshotter.stop();
    await this.#ports.log.close();
  }

  /**
   * Resolves when the command is committed and applied here.
   * @throws RaftError `not-leader` with who is, `overloaded`, `too-large`, `transferring`, `stopped`: not proposed; `outcome-unknown`
   */
  propose(data: Uint8Array): Promise<Applied> {
    const parts = this.#parts;
    if (this.#stopped || parts?.raft.role !== 'leader') return Promise.reject(this.#notLeader());
    return new Promise((resolve, reject) => this.#queue.add(data, { resolve, reject }, parts.writer.isWriting));
  }

  /**
   * Resolves when this leader's state machine has everything that was acknowledged before the call. `lease` asks nobody while the lease
   * lasts; `quorum` always does.
   * @throws RaftError `not-leader`, `stopped`
   */
  async read(by: 'lease' | 'quorum' = 'lease'): Promise<void> {
    const { raft } = this.#live();
    if (raft.role !== 'leader') throw this.#notLeader();
    const nowMs = this.#ports.clock.monotonic();
    const index = by === 'lease' && raft.hasLease(nowMs) ? raft.committed : await this.#readIndex(raft);
    await this.waitApplied(index);
  }

  /**
   * Does the state machine, as it is now, have everything that was acknowledged before? Then a leader answers a read from it without waiting
   * for `read`; otherwise `read` says when, or that another server has to be asked.
   */
  canAnswerReads(): boolean {
    const parts = this.#parts;
    return (
      parts !== undefined && parts.raft.role === 'leader' && parts.raft.canAnswerReads(parts.applier.applied, this.#ports.clock.monotonic())
    );
  }

  /** @throws RaftError `stopped` */
  async waitApplied(index: number): Promise<void> {
    const { applier } = this.#live();
    if (applier.applied >= index) return;
    await new Promise<void>((resolve, reject) => this.#appliedWaiters.add(index, { resolve, reject }));
  }

  /** Resolves when the change is committed, both phases of it. @throws RaftError */
  async changeMembership(changes: readonly MembershipChange[]): Promise<void> {
    const { raft } = this.#live();
    if (raft.role !== 'leader') throw this.#notLeader();
    const { index, term } = raft.changeMembership(changes, this.#ports.clock.monotonic());
    const done = new Promise<void>((resolve, reject) => this.#changes.add(index, term, { resolve, reject }));
    this.#guard(() => undefined);
    await done;
  }

  /** Resolves when somebody else leads; `to` undefined: whoever has most of the log. @throws RaftError */
  async transferLeadership(to?: NodeId): Promise<void> {
    const { raft } = this.#live();
    if (raft.role !== 'leader') throw this.#notLeader();
    const target = to ?? transferTarget(raft, this.#options.id);
    if (target === undefined) throw new RaftError('invalid-membership', 'there is no other voter');
    raft.transferLeadership(target, this.#ports.clock.monotonic());
    const taken = this.#anotherLeader();
    this.#guard(() => undefined);
    await taken;
  }

  /** Writes a snapshot of what is committed, now. @throws when it cannot be written */
  async snapshot(): Promise<void> {
    const { raft, snapshotter, applier } = this.#live();
    await this.waitApplied(raft.committed);
    await snapshotter.take(() => applier.position);
  }

  status(): NodeStatus {
    const { raft, applier, snapshotter } = this.#running();
    return nodeStatus(raft, this.#options.id, applier.applied, snapshotter.latest, this.#ports.clock.monotonic());
  }

  /** On each change of role, term, leader or membership; the function given back ends it. */
  onStatus(listener: (status: NodeStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  // Inputs.

  /** A sole voter asks nobody: nothing is gained by waiting for a timeout. */
  #leadAlone(): void {
    const { raft } = this.#running();
    const { voters, outgoing } = raft.membership;
    if (outgoing.length > 0 || voters.length !== 1 || voters[0] !== this.#options.id) return;
    this.#guard(() => raft.campaign(this.#ports.clock.monotonic()));
  }

  #tick(): void {
    if (this.#stopped) return;
    const { clock, logger } = this.#ports;
    const { raft } = this.#running();
    const nowMs = clock.monotonic();
    this.#timer = clock.setTimer(this.#options.heartbeatMs / 4, () => this.#tick());
    this.#guard(() => {
      const stalledMs = nowMs - (this.#writingSinceMs ?? nowMs);
      if (raft.role === 'leader' && stalledMs >= this.#options.electionTimeoutMs) {
        logger.warn('the disk stalls: another server should lead', { stalledMs });
        raft.stepDown(nowMs);
      }
      raft.tick(nowMs);
    });
  }

  #receive(message: Message): void {
    if (this.#stopped) return;
    if (message.type === 'snapshot' && !this.#exchange.has(message)) return;
    this.#guard(() => this.#running().raft.step(message, this.#ports.clock.monotonic()));
  }

  #flushProposals(): void {
    if (this.#stopped) return;
    this.#guard(() => {
      const { raft } = this.#running();
      for (const batch of this.#queue.take()) {
        try {
          const { index, term } = raft.propose(
            batch.map(({ data }) => data),
            this.#ports.clock.monotonic(),
          );
          for (const [position, waiter] of batch.entries()) this.#proposals.add(index + position, term, waiter);
          this.#ports.metrics.incrCounter('raft.apply', batch.length);
        } catch (thrown) {
          if (!(thrown instanceof RaftError)) throw thrown;
          const error = thrown.code === 'not-leader' ? this.#notLeader() : thrown;
          for (const { reject } of batch) reject(error);
        }
      }
    });
  }

  #readIndex(raft: Raft): Promise<number> {
    const id = this.#nextReadId++;
    return new Promise((resolve, reject) => {
      this.#reads.set(id, { resolve, reject });
      this.#guard(() => raft.read(id, this.#ports.clock.monotonic()));
    });
  }

  /** An input, and all that it leads to. */
  #guard(input: () => void): void {
    try {
      input();
      this.#drain();
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  // Effects.

  #drain(): void {
    if (this.#draining || this.#stopped) return;
    this.#draining = true;
    try {
      for (let busy = true; busy && !this.#stopped; ) busy = this.#carryOut(this.#running().raft.takeEffects());
    } finally {
      this.#draining = false;
    }
  }

  #carryOut({ messages, persist, committed, reads, status }: Effects): boolean {
    const { writer, applier, raft } = this.#running();
    const isOtherMembership = this.#followMembership(raft);
    for (const message of messages) this.#send(message);
    if (persist !== undefined) {
      if (persist.snapshot !== undefined) this.#exchange.beginInstall();
      this.#writingSinceMs ??= this.#ports.clock.monotonic();
      writer.push(persist);
    }
    if (committed.length > 0) applier.push(committed);
    for (const { id, index } of reads) this.#answerRead(id, index);
    this.#changes.settle(raft);
    if (status !== undefined) this.#statusChanged(status);
    if (status !== undefined || isOtherMembership) this.#tellListeners();
    return messages.length > 0 || persist !== undefined || committed.length > 0 || reads.length > 0;
  }

  #send(message: Message): void {
    if (message.type !== 'snapshot') {
      this.#ports.transport.send(message);
      return;
    }
    void this.#exchange.send(message).then((delivered) => {
      if (!this.#stopped) this.#guard(() => this.#running().raft.snapshotSent(message.to, delivered, this.#ports.clock.monotonic()));
    });
  }

  #written(batches: readonly PersistBatch[]): void {
    if (this.#stopped) return;
    const { raft } = this.#running();
    const nowMs = this.#ports.clock.monotonic();
    this.#ports.metrics.addSample('raft.rpc.storeLogs', nowMs - (this.#writingSinceMs ?? nowMs));
    this.#writingSinceMs = undefined;
    for (const { messages, token } of batches) {
      for (const message of messages) this.#send(message);
      raft.persisted(token, nowMs);
    }
    this.#drain();
    this.#flushProposals();
    // What came in during the write waits for the next one.
    if (this.#running().writer.hasMore) this.#writingSinceMs ??= nowMs;
  }

  async #install(meta: SnapshotMeta): Promise<void> {
    const { applier, snapshotter } = this.#running();
    await applier.idle();
    await this.#exchange.install(meta);
    applier.applied = meta.index;
    snapshotter.installed(meta);
    await this.#ports.log.clear();
    this.#proposals.skippedTo(meta.index);
    this.#appliedWaiters.applied(meta.index);
  }

  #applied(entries: readonly Entry[], results: readonly unknown[]): void {
    const { snapshotter, applier } = this.#running();
    for (const [position, entry] of entries.entries()) this.#proposals.applied(entry, results[position]);
    this.#appliedWaiters.applied(applier.applied);
    if (!this.#stopped) snapshotter.applied(entries);
  }

  #compact(meta: SnapshotMeta, keepFrom: number, trimThrough: number): void {
    if (this.#stopped) return;
    const { raft, writer } = this.#running();
    this.#guard(() => raft.compact(meta, keepFrom));
    writer.run(() => this.#ports.log.trim(trimThrough));
  }

  #answerRead(id: number, index: number | undefined): void {
    const waiter = this.#reads.get(id);
    this.#reads.delete(id);
    if (index === undefined) waiter?.reject(this.#notLeader());
    else waiter?.resolve(index);
  }

  #statusChanged({ role, term, leader }: Status): void {
    const { raft } = this.#running();
    const { logger, metrics } = this.#ports;
    logger.info('raft status', { role, term, leader });
    if (role !== 'pre-candidate') metrics.incrCounter(`raft.state.${role}`);
    const ledTerm = role === 'leader' ? term : undefined;
    this.#proposals.leadershipLost(ledTerm, raft.committed);
    this.#changes.leadershipLost(ledTerm);
  }

  #tellListeners(): void {
    const status = this.status();
    for (const listener of this.#listeners) listener(status);
  }

  /** Whether it is another one. */
  #followMembership(raft: Raft): boolean {
    if (raft.membership === this.#membership) return false;
    this.#membership = raft.membership;
    this.#ports.transport.setPeers(otherAddresses(raft.membership, this.#options.id));
    return true;
  }

  #anotherLeader(): Promise<void> {
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        timer.cancel();
        unsubscribe();
      };
      const unsubscribe = this.onStatus(({ role, leader }) => {
        if (role === 'leader' || leader === undefined) return;
        finish();
        resolve();
      });
      const timer = this.#ports.clock.setTimer(this.#options.electionTimeoutMs * 2, () => {
        finish();
        reject(new RaftError('transferring', 'leadership was not taken over in time'));
      });
    });
  }

  // The end.

  #fail(error: unknown): void {
    if (this.#stopped) return;
    const cause = error instanceof Error ? error : new Error(String(error));
    this.#ports.logger.error('raft stops for good', { error: cause.message });
    this.#end('this server has failed');
    void this.#ports.transport.stop().catch((thrown: unknown) => {
      this.#ports.logger.warn('the transport did not stop', { error: String(thrown) });
    });
    this.#ports.onFailure(cause);
  }

  /** Leads no more, hears and says nothing more; whoever waits is told. */
  #end(why: string): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#timer?.cancel();
    const stopped = new RaftError('stopped', why);
    this.#parts?.raft.stepDown(this.#ports.clock.monotonic());
    this.#queue.failAll(stopped);
    this.#proposals.failAll(why);
    this.#changes.failAll(why);
    for (const { reject } of this.#reads.values()) reject(stopped);
    this.#reads.clear();
    this.#appliedWaiters.failAll(stopped);
  }

  /** For callers: a server that has ended answers nobody. */
  #live(): Parts {
    if (this.#stopped) throw new RaftError('stopped', 'this server is not running');
    return this.#running();
  }

  #running(): Parts {
    if (this.#parts === undefined) throw new RaftError('stopped', 'this server is not running');
    return this.#parts;
  }

  #notLeader(): RaftError {
    if (this.#stopped || this.#parts === undefined) return new RaftError('stopped', 'this server is not running');
    const { leader } = this.#parts.raft;
    return new RaftError('not-leader', leader === undefined ? 'there is no leader' : `the leader is ${leader}`, { leader });
  }
}
