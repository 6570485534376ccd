import { seededRandom } from '@lictor/protocol/testing';
import type { Random } from '@lictor/protocol';
import type { NodeId } from '../core/entry.ts';
import { isJoint, type MembershipChange } from '../core/membership.ts';
import type { RaftOptions } from '../core/options.ts';
import { RaftError } from '../core/errors.ts';
import { SafetyObserver, SafetyViolation } from './observers.ts';
import { type Sent, SimNode, SIM_OPTIONS } from './sim-node.ts';

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

interface Event {
  readonly atMs: number;
  readonly order: number;
  readonly act: () => void;
}

/** What kind of a bad day it is; drawn from the seed, since each kind of mistake shows on another one. */
interface Weather {
  /** Of most messages, and of one in ten. */
  readonly delayMs: number;
  readonly slowDelayMs: number;
  readonly lossRate: number;
  readonly diskMs: number;
  /** How long crashed servers stay away at most. */
  readonly downMs: number;
  readonly faultEveryMs: number;
  /** How often a new leader, or one that changes the membership, crashes within a moment. */
  readonly leaderCrashRate: number;
}

interface PendingWrite {
  readonly term: number;
  readonly proposedMs: number;
}

const TICK_MS = 10;
const CALM: Weather = { delayMs: 5, slowDelayMs: 5, lossRate: 0, diskMs: 4, downMs: 100, faultEveryMs: 1000, leaderCrashRate: 0 };

/**
 * A cluster of cores in virtual time, from one seed: messages are lost, doubled, delayed and reordered, links are cut one way or both, servers
 * pause and crash, disks are slow, logs are compacted, members change. Then all is healed, and the cluster has to converge.
 */
export class Simulation {
  readonly #random: Random;
  readonly #options: SimulationOptions;
  readonly #nodes = new Map<NodeId, SimNode>();
  readonly #observer = new SafetyObserver();
  readonly #events: Event[] = [];
  readonly #cut = new Set<string>();
  readonly #writes = new Map<number, PendingWrite>();
  readonly #reads = new Map<number, { readonly floor: number }>();
  #nowMs = 0;
  #order = 0;
  #nextValue = 1;
  #nextRead = 1;
  /** Highest index whose proposer has been told that it is committed. */
  #acknowledged = 0;
  #weather: Weather = CALM;
  #stormy = true;
  #trace = 0x811c9dc5;
  readonly #counts = { reads: 0, leaseReads: 0, elections: 0, crashes: 0, membershipChanges: 0 };

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
  }

  /** @throws SafetyViolation, or Error when the healed cluster does not converge */
  run(): SimulationResult {
    const { nodes = 3 + Math.floor(this.#random.float() * 3), stormMs = 20_000 } = this.#options;
    const ids = Array.from({ length: nodes }, (_, position) => `n${position + 1}`);
    const voters = ids.slice(0, Math.max(1, nodes - Math.floor(this.#random.float() * 2)));
    for (const id of ids) this.#addNode(id, voters);
    this.#weather = this.#forecast();
    this.#every(
      () => 5 + this.#random.float() * 40,
      () => this.#stormy && this.#client(),
    );
    this.#every(
      () => this.#weather.faultEveryMs * (0.2 + this.#random.float() * 1.6),
      () => this.#stormy && this.#fault(),
    );
    this.#advance(stormMs);
    this.#heal();
    this.#converge();
    return { committed: this.#observer.appliedMax, ...this.#counts, trace: (this.#trace >>> 0).toString(16) };
  }

  #forecast(): Weather {
    const pick = <T>(items: readonly [T, ...T[]]): T => this.#pick(items) ?? items[0];
    return {
      delayMs: pick([3, 5, 40]),
      slowDelayMs: pick([20, 100, 500]),
      lossRate: this.#random.float() * 0.2,
      diskMs: pick([4, 4, 60, 150]),
      downMs: pick([20, 500, 2000]),
      faultEveryMs: pick([150, 500, 900]),
      leaderCrashRate: pick([0, 0, 0.3]),
    };
  }

  #addNode(id: NodeId, voters: readonly NodeId[]): void {
    const node = new SimNode(
      id,
      voters,
      this.#random,
      {
        send: (sent) => this.#send(sent),
        persist: (of) => this.#persist(of),
        applied: (of, entry, previous, state) => {
          this.#observer.applied(of.id, entry, previous, state);
          this.#mix(`${of.id}:${entry.index}:${entry.term}`);
          this.#settleWrite(of, entry.index, entry.term);
        },
        becameLeader: (of) => {
          this.#counts.elections++;
          this.#maybeCrashSoon(of);
          const { raft } = of;
          if (raft !== undefined)
            this.#observer.becameLeader(of.id, raft.term, (index) =>
              index < raft.firstIndex ? this.#observer.appliedAt(index)?.term : raft.termOf(index),
            );
        },
        read: (_of, readId, index) => this.#settleRead(readId, index),
      },
      this.#options.raft,
    );
    this.#nodes.set(id, node);
    node.start(this.#nowMs);
    this.#every(
      () => TICK_MS,
      () => !node.paused && node.input((raft) => raft.tick(this.#nowMs)),
    );
  }

  // Clients.

  #client(): void {
    const node = this.#pick([...this.#nodes.values()].filter(({ raft, paused }) => raft?.role === 'leader' && !paused));
    if (node === undefined) return;
    if (this.#random.float() < 0.6) this.#write(node);
    else this.#read(node);
  }

  #write(node: SimNode): void {
    node.input((raft) => {
      try {
        const size = 1 + Math.floor(this.#random.float() * 60);
        const data = Buffer.alloc(size, String(this.#nextValue++));
        const { index, term } = raft.propose([data], this.#nowMs);
        this.#writes.set(index * 1000 + (term % 1000), { term, proposedMs: this.#nowMs });
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

  #read(node: SimNode): void {
    const floor = this.#acknowledged;
    if (node.raft?.hasLease(this.#nowMs) === true) {
      this.#counts.leaseReads++;
      if (node.raft.committed < floor)
        throw new SafetyViolation(`lease read at ${node.raft.committed} of ${node.id} misses write ${floor}`);
    }
    const id = this.#nextRead++;
    this.#reads.set(id, { floor });
    node.input((raft) => raft.read(id, this.#nowMs));
  }

  #settleRead(id: number, index: number | undefined): void {
    const read = this.#reads.get(id);
    this.#reads.delete(id);
    if (read === undefined || index === undefined) return;
    this.#counts.reads++;
    if (index < read.floor) throw new SafetyViolation(`consistent read at ${index} misses acknowledged write ${read.floor}`);
  }

  // Network and disks.

  #send(sent: Sent): void {
    const { lossRate, delayMs, slowDelayMs } = this.#weather;
    const copies = this.#random.float() < lossRate / 4 ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      if (this.#random.float() < lossRate) {
        this.#reportSnapshot(sent, false);
        continue;
      }
      this.#at(this.#random.float() * (this.#random.float() < 0.1 ? slowDelayMs : delayMs), () => this.#deliver(sent));
    }
  }

  #deliver(sent: Sent): void {
    const { from, to: id } = sent.message;
    const to = this.#nodes.get(id);
    if (to === undefined) return;
    if (!to.isUp || this.#cut.has(`${from}>${id}`)) {
      this.#reportSnapshot(sent, false);
      return;
    }
    if (to.paused) {
      this.#at(20, () => this.#deliver(sent));
      return;
    }
    to.receive(sent, this.#nowMs);
    this.#reportSnapshot(sent, true);
  }

  /** A transport always knows in the end what became of a snapshot. */
  #reportSnapshot({ message }: Sent, delivered: boolean): void {
    if (message.type !== 'snapshot') return;
    this.#at(5 + this.#random.float() * 100, () => {
      this.#nodes.get(message.from)?.input((raft) => raft.snapshotSent(message.to, delivered, this.#nowMs));
    });
  }

  #persist(node: SimNode): void {
    const { life } = node;
    this.#at(this.#random.float() * this.#weather.diskMs, () => node.life === life && node.persistDone(this.#nowMs));
  }

  // Faults.

  #fault(): void {
    const dice = this.#random.float();
    const node = this.#pick([...this.#nodes.values()]);
    if (node === undefined) return;
    if (dice < 0.2) this.#crash(node);
    else if (dice < 0.27) this.#powerLoss();
    else if (dice < 0.5) this.#partition();
    else if (dice < 0.6) this.#cut.clear();
    else if (dice < 0.7) this.#pause(node);
    else if (dice < 0.8) node.compact(Math.floor(this.#random.float() * 20));
    else if (dice < 0.9) this.#changeMembers();
    else this.#transfer();
  }

  #crash(node: SimNode): void {
    if (!node.isUp) return;
    this.#counts.crashes++;
    node.crash();
    this.#at(1 + this.#random.float() * this.#weather.downMs, () => !node.isUp && node.start(this.#nowMs));
  }

  /** Several at the same moment: what only they had, and had not synced, is gone. */
  #powerLoss(): void {
    for (const node of this.#nodes.values()) if (this.#random.float() < 0.7) this.#crash(node);
  }

  #maybeCrashSoon(node: SimNode): void {
    if (!this.#stormy || this.#random.float() >= this.#weather.leaderCrashRate) return;
    this.#at(this.#random.float() * 60, () => this.#stormy && this.#crash(node));
  }

  #partition(): void {
    this.#cut.clear();
    const ids = [...this.#nodes.keys()];
    const side = new Set(ids.filter(() => this.#random.float() < 0.5));
    const oneWay = this.#random.float() < 0.3;
    for (const a of ids) {
      for (const b of ids) {
        if (side.has(a) && !side.has(b)) this.#cut.add(`${a}>${b}`);
        if (side.has(b) && !side.has(a) && !oneWay) this.#cut.add(`${a}>${b}`);
      }
    }
  }

  #pause(node: SimNode): void {
    node.paused = true;
    this.#at(100 + this.#random.float() * 1000, () => (node.paused = false));
  }

  #changeMembers(): void {
    const leader = this.#leader();
    if (leader === undefined) return;
    const kinds: readonly MembershipChange['to'][] = ['voter', 'learner', 'none'];
    const changes = [...this.#nodes.keys()]
      .filter(() => this.#random.float() < 0.4)
      .map((id): MembershipChange => ({ id, to: kinds[Math.floor(this.#random.float() * 3)] ?? 'voter' }));
    leader.input((raft) => {
      try {
        raft.changeMembership(changes, this.#nowMs);
        this.#counts.membershipChanges++;
        this.#maybeCrashSoon(leader);
      } catch (error) {
        if (!(error instanceof RaftError)) throw error;
      }
    });
  }

  #transfer(): void {
    const leader = this.#leader();
    const to = this.#pick([...this.#nodes.keys()]);
    if (leader === undefined || to === undefined) return;
    leader.input((raft) => {
      try {
        raft.transferLeadership(to, this.#nowMs);
      } catch (error) {
        if (!(error instanceof RaftError)) throw error;
      }
    });
  }

  // The healed phase.

  #heal(): void {
    this.#stormy = false;
    this.#weather = CALM;
    this.#cut.clear();
    for (const node of this.#nodes.values()) {
      node.paused = false;
      if (!node.isUp) node.start(this.#nowMs);
    }
  }

  /** A leader within ten election timeouts; then, though nobody writes any more, the same log everywhere. */
  #converge(): void {
    const { electionTimeoutMs } = SIM_OPTIONS;
    const deadlineMs = this.#nowMs + 10 * electionTimeoutMs;
    while (this.#leader() === undefined) {
      if (this.#nowMs > deadlineMs) throw new Error(`no leader ${10 * electionTimeoutMs} ms after healing: ${this.#describe()}`);
      this.#advance(TICK_MS);
    }
    this.#advance(20 * electionTimeoutMs);
    const leader = this.#leader();
    const raft = leader?.raft;
    if (raft === undefined) throw new Error(`the leader was lost after healing: ${this.#describe()}`);
    if (isJoint(raft.membership)) throw new Error('a joint membership did not end');
    const { voters, learners } = raft.membership;
    for (const id of [...voters, ...learners]) {
      const applied = this.#nodes.get(id)?.applied ?? 0;
      if (applied !== raft.lastIndex) throw new Error(`${id} has applied ${applied} of ${raft.lastIndex}: ${this.#describe()}`);
    }
    if (raft.committed < this.#acknowledged) throw new SafetyViolation('acknowledged writes are lost');
  }

  #leader(): SimNode | undefined {
    const leaders = [...this.#nodes.values()].filter(({ raft, paused }) => raft?.role === 'leader' && !paused);
    return leaders.sort((a, b) => (b.raft?.term ?? 0) - (a.raft?.term ?? 0))[0];
  }

  #describe(): string {
    return [...this.#nodes.values()]
      .map(
        ({ id, raft, applied }) =>
          `${id} ${raft?.role ?? 'down'} term ${raft?.term ?? 0} last ${raft?.lastIndex ?? 0} commit ${raft?.committed ?? 0} applied ${applied} voters ${raft?.membership.voters.join() ?? ''}/${raft?.membership.outgoing.join() ?? ''}`,
      )
      .join('; ');
  }

  // Virtual time.

  #advance(durationMs: number): void {
    const endMs = this.#nowMs + durationMs;
    for (let next = this.#popDue(endMs); next !== undefined; next = this.#popDue(endMs)) {
      this.#nowMs = next.atMs;
      next.act();
    }
    this.#nowMs = endMs;
  }

  #at(delayMs: number, act: () => unknown): void {
    const event: Event = { atMs: this.#nowMs + delayMs, order: this.#order++, act: () => void act() };
    let at = this.#events.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (isBefore(this.#events[parent], event)) break;
      this.#events[at] = this.#events[parent] ?? event;
      at = parent;
    }
    this.#events[at] = event;
  }

  #every(delayMs: () => number, act: () => unknown): void {
    this.#at(delayMs(), () => {
      act();
      this.#every(delayMs, act);
    });
  }

  #popDue(endMs: number): Event | undefined {
    const [first] = this.#events;
    if (first === undefined || first.atMs > endMs) return undefined;
    const last = this.#events.pop();
    if (last === undefined || this.#events.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#events.length) break;
      const right = this.#events[child + 1];
      if (right !== undefined && isBefore(right, this.#events[child])) child++;
      const smaller = this.#events[child];
      if (smaller === undefined || isBefore(last, smaller)) break;
      this.#events[at] = smaller;
      at = child;
    }
    this.#events[at] = last;
    return first;
  }

  #pick<T>(items: readonly T[]): T | undefined {
    return items[Math.floor(this.#random.float() * items.length)];
  }

  #mix(text: string): void {
    for (let position = 0; position < text.length; position++) {
      this.#trace = Math.imul(this.#trace ^ text.charCodeAt(position), 0x01000193);
    }
  }
}

function isBefore(a: Event | undefined, b: Event | undefined): boolean {
  if (a === undefined || b === undefined) return a !== undefined;
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
