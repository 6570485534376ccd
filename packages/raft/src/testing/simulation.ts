import { seededRandom } from '@lictor/protocol/testing';
import type { Random } from '@lictor/protocol';
import type { NodeId } from '../core/entry.ts';
import { isJoint } from '../core/membership.ts';
import type { RaftOptions } from '../core/options.ts';
import { RaftError } from '../core/errors.ts';
import { SafetyObserver, SafetyViolation } from './observers.ts';
import { SimFaults, type SimWorld } from './sim-faults.ts';
import { type Sent, SimNode, SIM_OPTIONS } from './sim-node.ts';
import { VirtualTime } from './virtual-time.ts';
import { CALM, forecast, type Weather } from './weather.ts';

export interface SimulationOptions {
  readonly seed: number;
  readonly nodes?: number;
  /** Virtual time of the stormy phase. */
  readonly stormMs?: number;
  readonly raft?: Partial<RaftOptions>;
}

export interface SimulationResult {
  readonly committed: number;
  readonly reads: number;
  readonly leaseReads: number;
  readonly elections: number;
  readonly crashes: number;
  readonly membershipChanges: number;
  /** Hash of everything that was applied: same seed, same trace. */
  readonly trace: string;
}

interface PendingWrite {
  readonly term: number;
  readonly proposedMs: number;
}

interface PendingRead {
  readonly floor: number;
  readonly node: SimNode;
  readonly life: number;
}

const TICK_MS = 10;
/** The last of a storm, which is too short for the cluster to get over it by itself. */
const LAST_DEED_MS = 60;

/**
 * A cluster of cores in virtual time, from one seed: messages are lost, doubled, delayed and reordered, links are cut one way or both, servers
 * pause and crash, disks are slow, logs are compacted, members change. Then all is healed, and the cluster has to converge.
 */
export class Simulation implements SimWorld {
  readonly random: Random;
  readonly #options: SimulationOptions;
  readonly nodes = new Map<NodeId, SimNode>();
  readonly #observer = new SafetyObserver();
  readonly time = new VirtualTime();
  readonly cut = new Set<string>();
  readonly #writes = new Map<number, PendingWrite>();
  readonly #reads = new Map<number, PendingRead>();
  #nextValue = 1;
  #nextRead = 1;
  /** Highest index whose proposer has been told that it is committed. */
  #acknowledged = 0;
  weather: Weather = CALM;
  isStormy = true;
  readonly #faults = new SimFaults(this);
  #trace = 0x811c9dc5;
  readonly counts = { reads: 0, leaseReads: 0, elections: 0, crashes: 0, membershipChanges: 0 };

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.random = seededRandom(options.seed);
  }

  /** @throws SafetyViolation, or Error when the healed cluster does not converge */
  run(): SimulationResult {
    const { nodes = 3 + Math.floor(this.random.float() * 3), stormMs = 20_000 } = this.#options;
    const ids = Array.from({ length: nodes }, (_, position) => `n${position + 1}`);
    const voters = ids.slice(0, Math.max(1, nodes - Math.floor(this.random.float() * 2)));
    this.weather = forecast(this.random);
    for (const id of ids) this.#addNode(id, voters);
    this.time.every(
      () => 5 + this.random.float() * 40,
      () => this.isStormy && this.client(),
    );
    this.time.every(
      () => this.weather.faultEveryMs * (0.2 + this.random.float() * 1.6),
      () => this.isStormy && this.#faults.strike(),
    );
    this.time.advance(stormMs - LAST_DEED_MS);
    if (this.weather.endsInTransfer) this.#faults.transfer('silence');
    this.time.advance(LAST_DEED_MS);
    this.#heal();
    this.#converge();
    return { committed: this.#observer.appliedMax, ...this.counts, trace: (this.#trace >>> 0).toString(16) };
  }

  #addNode(id: NodeId, voters: readonly NodeId[]): void {
    const node = new SimNode(
      id,
      voters,
      this.random,
      {
        send: (sent) => this.#send(sent),
        persist: (of) => this.#persist(of),
        applied: (of, entry, previous, state) => {
          this.#observer.applied(of.id, of.raft?.term ?? 0, entry, previous, state);
          this.#mix(`${of.id}:${entry.index}:${entry.term}`);
          this.#settleWrite(of, entry.index, entry.term);
        },
        becameLeader: (of) => {
          this.counts.elections++;
          this.#faults.maybeCrashSoon(of);
          const { raft } = of;
          if (raft !== undefined)
            this.#observer.becameLeader(of.id, raft.term, (index) =>
              index < raft.firstIndex ? this.#observer.appliedAt(index)?.term : raft.termOf(index),
            );
        },
        read: (_of, readId, index) => this.#settleRead(readId, index),
      },
      { maxAppendBytes: this.weather.maxAppendBytes, ...this.#options.raft },
    );
    this.nodes.set(id, node);
    node.start(this.time.nowMs);
    this.time.every(
      () => TICK_MS,
      () => !node.paused && node.input((raft) => raft.tick(this.time.nowMs)),
    );
  }

  // Clients.

  client(): void {
    const node = this.pick([...this.nodes.values()].filter(({ raft, paused }) => raft?.role === 'leader' && !paused));
    if (node === undefined) return;
    if (this.random.float() < 0.6) this.write(node);
    else this.read(node);
  }

  write(node: SimNode): void {
    node.input((raft) => {
      try {
        const size = 1 + Math.floor(this.random.float() * 60);
        const data = Buffer.alloc(size, String(this.#nextValue++));
        const { index, term } = raft.propose([data], this.time.nowMs);
        this.#writes.set(index * 1000 + (term % 1000), { term, proposedMs: this.time.nowMs });
      } catch (error) {
        if (!(error instanceof RaftError)) throw error;
      }
    });
  }

  /** The proposer hears of it when its own server has applied it. */
  #settleWrite(node: SimNode, index: number, term: number): void {
    const key = index * 1000 + (term % 1000);
    const write = this.#writes.get(key);
    if (write?.term !== term || node.raft?.role !== 'leader') return;
    this.#writes.delete(key);
    this.#acknowledged = Math.max(this.#acknowledged, index);
  }

  read(node: SimNode): void {
    const floor = this.#acknowledged;
    if (node.raft?.hasLease(this.time.nowMs) === true) {
      this.counts.leaseReads++;
      if (node.raft.committed < floor)
        throw new SafetyViolation(`lease read at ${node.raft.committed} of ${node.id} misses write ${floor}`);
    }
    if (node.raft?.canAnswerReads(node.applied, this.time.nowMs) === true && node.applied < floor)
      throw new SafetyViolation(`a read of ${node.id}'s state at ${node.applied} misses write ${floor}`);
    const id = this.#nextRead++;
    this.#reads.set(id, { floor, node, life: node.life });
    node.input((raft) => raft.read(id, this.time.nowMs));
  }

  #settleRead(id: number, index: number | undefined): void {
    const read = this.#reads.get(id);
    this.#reads.delete(id);
    if (read === undefined || index === undefined) return;
    this.counts.reads++;
    if (index < read.floor) throw new SafetyViolation(`consistent read at ${index} misses acknowledged write ${read.floor}`);
  }

  // Network and disks.

  #send(sent: Sent): void {
    const { lossRate, delayMs, slowDelayMs } = this.weather;
    const copies = this.random.float() < lossRate / 4 ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      if (this.random.float() < lossRate) {
        this.#reportSnapshot(sent, false);
        continue;
      }
      const waitMs = this.#faults.heldBackMs(sent);
      const onTheWayMs = this.random.float() * (this.random.float() < 0.1 ? slowDelayMs : delayMs);
      this.time.at(waitMs + onTheWayMs, () => this.#deliver(sent));
    }
  }

  #deliver(sent: Sent): void {
    const { from, to: id } = sent.message;
    const to = this.nodes.get(id);
    if (to === undefined) return;
    if (!to.isUp || this.cut.has(`${from}>${id}`)) {
      this.#reportSnapshot(sent, false);
      return;
    }
    if (to.paused) {
      this.time.at(20, () => this.#deliver(sent));
      return;
    }
    to.receive(sent, this.time.nowMs);
    this.#reportSnapshot(sent, true);
  }

  /** A transport always knows in the end what became of a snapshot. */
  #reportSnapshot({ message }: Sent, delivered: boolean): void {
    if (message.type !== 'snapshot') return;
    this.time.at(5 + this.random.float() * 100, () => {
      this.nodes.get(message.from)?.input((raft) => raft.snapshotSent(message.to, delivered, this.time.nowMs));
    });
  }

  #persist(node: SimNode): void {
    const { life } = node;
    this.time.at(this.random.float() * this.weather.diskMs, () => node.life === life && node.persistDone(this.time.nowMs));
  }

  // The healed phase.

  #heal(): void {
    this.isStormy = false;
    this.weather = CALM;
    this.cut.clear();
    for (const node of this.nodes.values()) {
      node.paused = false;
      if (!node.isUp) node.start(this.time.nowMs);
    }
  }

  /** A leader within ten election timeouts; then, though nobody writes any more, the same log everywhere. */
  #converge(): void {
    const { electionTimeoutMs } = SIM_OPTIONS;
    const deadlineMs = this.time.nowMs + 10 * electionTimeoutMs;
    while (this.leader() === undefined) {
      if (this.time.nowMs > deadlineMs) throw new Error(`no leader ${10 * electionTimeoutMs} ms after healing: ${this.#describe()}`);
      this.time.advance(TICK_MS);
    }
    this.time.advance(20 * electionTimeoutMs);
    const leader = this.leader();
    const raft = leader?.raft;
    if (raft === undefined) throw new Error(`the leader was lost after healing: ${this.#describe()}`);
    if (isJoint(raft.membership)) throw new Error('a joint membership did not end');
    const { voters, learners } = raft.membership;
    for (const id of [...voters, ...learners]) {
      const applied = this.nodes.get(id)?.applied ?? 0;
      if (applied !== raft.lastIndex) throw new Error(`${id} has applied ${applied} of ${raft.lastIndex}: ${this.#describe()}`);
    }
    for (const [read, { node, life }] of this.#reads) {
      if (node.life === life) throw new Error(`read ${read} at ${node.id} was never answered`);
    }
    if (raft.committed < this.#acknowledged) throw new SafetyViolation('acknowledged writes are lost');
  }

  leader(): SimNode | undefined {
    const leaders = [...this.nodes.values()].filter(({ raft, paused }) => raft?.role === 'leader' && !paused);
    return leaders.sort((a, b) => (b.raft?.term ?? 0) - (a.raft?.term ?? 0))[0];
  }

  #describe(): string {
    return [...this.nodes.values()]
      .map(
        ({ id, raft, applied }) =>
          `${id} ${raft?.role ?? 'down'} term ${raft?.term ?? 0} last ${raft?.lastIndex ?? 0} commit ${raft?.committed ?? 0} applied ${applied} voters ${raft?.membership.voters.join() ?? ''}/${raft?.membership.outgoing.join() ?? ''}`,
      )
      .join('; ');
  }

  pick<T>(items: readonly T[]): T | undefined {
    return items[Math.floor(this.random.float() * items.length)];
  }

  #mix(text: string): void {
    for (let position = 0; position < text.length; position++) {
      this.#trace = Math.imul(this.#trace ^ text.charCodeAt(position), 0x01000193);
    }
  }
}
