import type { NodeId } from '../core/entry.ts';
import { RaftError } from '../core/errors.ts';
import type { MembershipChange } from '../core/membership.ts';
import { bootstrap } from './bootstrap.ts';
import { Engine, notRunning } from './engine.ts';
import { NodeMetrics } from './node-metrics.ts';
import { nodeStatus, transferTarget } from './node-status.ts';
import type { NodeOptions, NodePorts, NodeStatus } from './options.ts';
import { recover } from './recover.ts';
import type { Applied } from './waiters.ts';

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
  readonly #listeners = new Set<(status: NodeStatus) => void>();
  #engine: Engine | undefined;

  constructor(options: NodeOptions, ports: NodePorts) {
    this.#options = options;
    this.#ports = ports;
  }

  /** A sole voter leads as soon as its disk allows, without waiting for a timer. @throws RaftError `corrupt`, `storage` */
  async start(): Promise<void> {
    const { clock, metrics, log } = this.#ports;
    const nodeMetrics = new NodeMetrics(clock, metrics, this.#options.heartbeatMs);
    const recovered = await recover(this.#ports, nodeMetrics).catch(async (thrown: unknown) => {
      await log.close();
      throw thrown;
    });
    this.#engine = new Engine(this.#options, this.#ports, nodeMetrics, recovered, { changed: () => this.#tellListeners() });
    await this.#engine.start();
  }

  /** Does not wait for what is not committed; gives no leadership away: see `transferLeadership`. */
  async stop(): Promise<void> {
    await this.#engine?.stop();
  }

  /**
   * Resolves when the command is committed and applied here.
   * @throws RaftError `not-leader` with who is, `overloaded`, `too-large`, `transferring`, `stopped`: not proposed; `outcome-unknown`
   */
  propose(data: Uint8Array): Promise<Applied> {
    const engine = this.#engine;
    if (engine === undefined) return Promise.reject(notRunning());
    return engine.raft.role === 'leader' ? engine.propose(data) : Promise.reject(engine.notLeader());
  }

  /**
   * Resolves when this leader's state machine has everything that was acknowledged before the call. `lease` asks nobody while the lease
   * lasts; `quorum` always does.
   * @throws RaftError `not-leader`, `stopped`
   */
  async read(by: 'lease' | 'quorum' = 'lease'): Promise<void> {
    const engine = this.#leading();
    const { raft } = engine;
    const nowMs = this.#ports.clock.monotonic();
    const index = by === 'lease' && raft.hasLease(nowMs) ? raft.committed : await engine.readIndex();
    await this.waitApplied(index);
  }

  /**
   * Does the state machine, as it is now, have everything that was acknowledged before? Then a leader answers a read from it without
   * waiting for `read`; otherwise `read` says when, or that another server has to be asked.
   */
  canAnswerReads(): boolean {
    const engine = this.#engine;
    if (engine?.raft.role !== 'leader') return false;
    return engine.raft.canAnswerReads(engine.applier.applied, this.#ports.clock.monotonic());
  }

  /** @throws RaftError `stopped` */
  async waitApplied(index: number): Promise<void> {
    await this.#live().waitApplied(index);
  }

  /** Resolves when the change is committed, both phases of it. @throws RaftError */
  async changeMembership(changes: readonly MembershipChange[]): Promise<void> {
    const engine = this.#leading();
    const { index, term } = engine.raft.changeMembership(changes, this.#ports.clock.monotonic());
    const committed = engine.membershipCommitted(index, term);
    engine.input(() => undefined);
    await committed;
  }

  /** Resolves when somebody else leads; `to` undefined: whoever has most of the log. @throws RaftError */
  async transferLeadership(to?: NodeId): Promise<void> {
    const engine = this.#leading();
    const target = to ?? transferTarget(engine.raft, this.#options.id);
    if (target === undefined) throw new RaftError('invalid-membership', 'there is no other voter');
    engine.raft.transferLeadership(target, this.#ports.clock.monotonic());
    const taken = this.#anotherLeader();
    engine.input(() => undefined);
    await taken;
  }

  /** Writes a snapshot of what is committed, now. @throws when it cannot be written */
  async snapshot(): Promise<void> {
    const { raft, snapshotter, applier } = this.#live();
    await this.waitApplied(raft.committed);
    await snapshotter.take(() => applier.position);
  }

  /** Since a leader was heard; 0 for a leader, undefined: never. As in `status`, for those who ask at every read. */
  get lastContactMs(): number | undefined {
    if (this.#engine === undefined) return undefined;
    const { role, leaderHeardMs } = this.#engine.raft;
    if (role === 'leader') return 0;
    return Number.isFinite(leaderHeardMs) ? this.#ports.clock.monotonic() - leaderHeardMs : undefined;
  }

  status(): NodeStatus {
    if (this.#engine === undefined) throw notRunning();
    const { raft, applier, snapshotter } = this.#engine;
    return nodeStatus(raft, this.#options.id, applier.applied, snapshotter.latest, this.#ports.clock.monotonic());
  }

  /** On each change of role, term, leader or membership; the function given back ends it. */
  onStatus(listener: (status: NodeStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #tellListeners(): void {
    const status = this.status();
    for (const listener of this.#listeners) listener(status);
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

  /** A server that has ended answers nobody. */
  #live(): Engine {
    if (this.#engine === undefined || this.#engine.isStopped) throw notRunning();
    return this.#engine;
  }

  #leading(): Engine {
    const engine = this.#live();
    if (engine.raft.role !== 'leader') throw engine.notLeader();
    return engine;
  }
}
