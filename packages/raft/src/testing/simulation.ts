import { seededRandom } from '@lictor/protocol/testing';
import type { Random } from '@lictor/protocol';
import type { NodeId } from '../core/entry.ts';
import { isJoint, type MembershipChange } from '../core/membership.ts';
import type { RaftOptions } from '../core/options.ts';
import { RaftError } from '../core/errors.ts';
import { SafetyObserver, SafetyViolation } from './observers.ts';
import { type Sent, SimNode, SIM_OPTIONS } from './sim-node.ts';
import { drawChanges } from './membership-weather.ts';
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
export class Simulation {
  readonly #random: Random;
  readonly #options: SimulationOptions;
  readonly #nodes = new Map<NodeId, SimNode>();
  readonly #observer = new SafetyObserver();
  readonly #time = new VirtualTime();
  readonly #cut = new Set<string>();
  readonly #writes = new Map<number, PendingWrite>();
  readonly #reads = new Map<number, PendingRead>();
  #nextValue = 1;
  #nextRead = 1;
  /** Highest index whose proposer has been told that it is committed. */
  #acknowledged = 0;
  #weather: Weather = CALM;
  #stormy = true;
  /** Whose calls to stand for election (`timeout-now`) are on their way until when. */
  readonly #duelists = new Map<NodeId, number>();
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
    this.#weather = forecast(this.#random);
    for (const id of ids) this.#addNode(id, voters);
    this.#time.every(
      () => 5 + this.#random.float() * 40,
      () => this.#stormy && this.#client(),
    );
    this.#time.every(
      () => this.#weather.faultEveryMs * (0.2 + this.#random.float() * 1.6),
      () => this.#stormy && this.#fault(),
    );
    this.#time.advance(stormMs - LAST_DEED_MS);
    if (this.#weather.endsInTransfer) this.#transfer('silence');
    this.#time.advance(LAST_DEED_MS);
    this.#heal();
    this.#converge();
    return { committed: this.#observer.appliedMax, ...this.#counts, trace: (this.#trace >>> 0).toString(16) };
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
      { maxAppendBytes: this.#weather.maxAppendBytes, ...this.#options.raft },
    );
    this.#nodes.set(id, node);
    node.start(this.#time.nowMs);
    this.#time.every(
      () => TICK_MS,
      () => !node.paused && node.input((raft) => raft.tick(this.#time.nowMs)),
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
        const { index, term } = raft.propose([data], this.#time.nowMs);
        this.#writes.set(index * 1000 + (term % 1000), { term, proposedMs: this.#time.nowMs });
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
    if (node.raft?.hasLease(this.#time.nowMs) === true) {
      this.#counts.leaseReads++;
      if (node.raft.committed < floor)
        throw new SafetyViolation(`lease read at ${node.raft.committed} of ${node.id} misses write ${floor}`);
    }
    if (node.raft?.canAnswerReads(node.applied, this.#time.nowMs) === true && node.applied < floor)
      throw new SafetyViolation(`a read of ${node.id}'s state at ${node.applied} misses write ${floor}`);
    const id = this.#nextRead++;
    this.#reads.set(id, { floor, node, life: node.life });
    node.input((raft) => raft.read(id, this.#time.nowMs));
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
      const waitMs = this.#duelWaitMs(sent);
      const onTheWayMs = this.#random.float() * (this.#random.float() < 0.1 ? slowDelayMs : delayMs);
      this.#time.at(waitMs + onTheWayMs, () => this.#deliver(sent));
    }
  }

  #duelWaitMs({ message }: Sent): number {
    if (this.#duelists.size === 0) return 0;
    if (message.type === 'vote-reply' && !message.preVote && message.granted && this.#random.float() < 0.7) {
      const voter = this.#nodes.get(message.from);
      this.#time.at(this.#random.float() * 3, () => this.#stormy && voter !== undefined && this.#crash(voter, 4));
    }
    return message.type === 'timeout-now' ? Math.max(0, (this.#duelists.get(message.to) ?? 0) - this.#time.nowMs) : 0;
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
      this.#time.at(20, () => this.#deliver(sent));
      return;
    }
    to.receive(sent, this.#time.nowMs);
    this.#reportSnapshot(sent, true);
  }

  /** A transport always knows in the end what became of a snapshot. */
  #reportSnapshot({ message }: Sent, delivered: boolean): void {
    if (message.type !== 'snapshot') return;
    this.#time.at(5 + this.#random.float() * 100, () => {
      this.#nodes.get(message.from)?.input((raft) => raft.snapshotSent(message.to, delivered, this.#time.nowMs));
    });
  }

  #persist(node: SimNode): void {
    const { life } = node;
    this.#time.at(this.#random.float() * this.#weather.diskMs, () => node.life === life && node.persistDone(this.#time.nowMs));
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
    else if (dice < 0.88) this.#changeMembers();
    else if (dice < 0.96) this.#transfer();
    else this.#duel();
  }

  #crash(node: SimNode, downMs = this.#weather.downMs): void {
    if (!node.isUp) return;
    this.#counts.crashes++;
    node.crash();
    this.#time.at(1 + this.#random.float() * downMs, () => !node.isUp && node.start(this.#time.nowMs));
  }

  /** Several at the same moment: what only they had, and had not synced, is gone. */
  #powerLoss(): void {
    for (const node of this.#nodes.values()) if (this.#random.float() < 0.7) this.#crash(node);
  }

  /** A new leader that dies young, and, as in figure 8 of the paper, often before anyone has heard of it. */
  #maybeCrashSoon(node: SimNode): void {
    if (!this.#stormy || this.#random.float() >= this.#weather.leaderCrashRate) return;
    if (this.#random.float() < 0.5) {
      const afterMs = this.#random.float() < 0.5 ? 0 : this.#random.float() * 30;
      this.#time.at(afterMs, () => {
        if (!this.#stormy) return;
        this.#silence(node.id);
        for (let write = 0; write < 3 && node.raft?.role === 'leader'; write++) this.#write(node);
      });
    }
    this.#time.at(this.#random.float() * 60, () => this.#stormy && this.#crash(node));
  }

  /** Nobody hears it any more. */
  #silence(from: NodeId): void {
    for (const to of this.#nodes.keys()) this.#cut.add(`${from}>${to}`);
    this.#time.at(100, () => {
      for (const to of this.#nodes.keys()) this.#cut.delete(`${from}>${to}`);
    });
  }

  /** It hears nobody any more. */
  #deafen(to: NodeId): void {
    for (const from of this.#nodes.keys()) this.#cut.add(`${from}>${to}`);
    this.#time.at(200, () => {
      for (const from of this.#nodes.keys()) this.#cut.delete(`${from}>${to}`);
    });
  }

  #partition(): void {
    const side = [...this.#nodes.keys()].filter(() => this.#random.float() < 0.5);
    this.#cutOff(new Set(side), this.#random.float() < 0.3);
  }

  #cutOff(side: ReadonlySet<NodeId>, oneWay: boolean): void {
    this.#cut.clear();
    for (const a of this.#nodes.keys()) {
      for (const b of this.#nodes.keys()) {
        if (side.has(a) && !side.has(b)) this.#cut.add(`${a}>${b}`);
        if (side.has(b) && !side.has(a) && !oneWay) this.#cut.add(`${a}>${b}`);
      }
    }
  }

  #pause(node: SimNode): void {
    node.paused = true;
    this.#time.at(100 + this.#random.float() * 1000, () => {
      node.paused = false;
      // Requests have waited in the socket: they are read before the clock is.
      if (this.#stormy && node.raft?.role === 'leader') this.#read(node);
    });
  }

  #changeMembers(): void {
    const leader = this.#leader();
    if (leader === undefined) return;
    const changes = drawChanges([...this.#nodes.keys()], leader.raft?.membership.voters ?? [], this.#random);
    leader.input((raft) => {
      try {
        raft.changeMembership(changes, this.#time.nowMs);
        this.#counts.membershipChanges++;
        this.#maybeCrashSoon(leader);
        this.#maybeSplit(leader, changes);
      } catch (error) {
        if (!(error instanceof RaftError)) throw error;
      }
    });
  }

  /** Those who are to vote, with the leader, are cut off from the others: only the new ones hear of the change. */
  #maybeSplit(leader: SimNode, changes: readonly MembershipChange[]): void {
    if (this.#random.float() < 0.5) return;
    const coming = changes.filter(({ to }) => to === 'voter').map(({ id }) => id);
    this.#cutOff(new Set([leader.id, ...coming]), false);
  }

  /** Just after the heir has been told, the old leader may not hear of its successor, or nobody of the heir's election. */
  #transfer(trouble = this.#pick(['none', 'deafen', 'silence'] as const)): void {
    const leader = this.#leader();
    const to = this.#pick([...this.#nodes.keys()].filter((id) => id !== leader?.id));
    if (leader === undefined || to === undefined || !this.#handOver(leader, to)) return;
    if (trouble === 'silence') this.#silence(to);
    if (trouble !== 'deafen') return;
    this.#deafen(leader.id);
    for (let afterMs = 20; afterMs < SIM_OPTIONS.leaseMs; afterMs += 20) {
      this.#time.at(afterMs, () => this.#stormy && this.#client());
      this.#time.at(afterMs, () => this.#stormy && leader.raft?.role === 'leader' && this.#read(leader));
    }
  }

  #handOver(leader: SimNode, to: NodeId): boolean {
    let accepted = false;
    leader.input((raft) => {
      try {
        raft.transferLeadership(to, this.#time.nowMs);
        accepted = true;
      } catch (error) {
        if (!(error instanceof RaftError)) throw error;
      }
    });
    return accepted;
  }

  /** Two heirs, since the first one's call is late: both stand in the same term, while those who vote restart. */
  #duel(): void {
    const leader = this.#leader();
    const [first, second] = leader?.raft?.membership.voters.filter((id) => id !== leader.id) ?? [];
    if (leader === undefined || first === undefined || second === undefined || !this.#handOver(leader, first)) return;
    const { electionTimeoutMs } = SIM_OPTIONS;
    const callMs = this.#time.nowMs + electionTimeoutMs + 40;
    const laterMs = this.#random.float() * (10 + 2 * (this.#weather.delayMs + this.#weather.diskMs));
    this.#duelists.set(first, callMs).set(second, callMs + laterMs);
    this.#cut.add(`${first}>${second}`).add(`${second}>${first}`);
    this.#time.at(electionTimeoutMs + 15, () => this.#stormy && this.#handOver(leader, second));
    this.#time.at(2.5 * electionTimeoutMs, () => this.#duelists.clear());
  }

  // The healed phase.

  #heal(): void {
    this.#stormy = false;
    this.#weather = CALM;
    this.#cut.clear();
    for (const node of this.#nodes.values()) {
      node.paused = false;
      if (!node.isUp) node.start(this.#time.nowMs);
    }
  }

  /** A leader within ten election timeouts; then, though nobody writes any more, the same log everywhere. */
  #converge(): void {
    const { electionTimeoutMs } = SIM_OPTIONS;
    const deadlineMs = this.#time.nowMs + 10 * electionTimeoutMs;
    while (this.#leader() === undefined) {
      if (this.#time.nowMs > deadlineMs) throw new Error(`no leader ${10 * electionTimeoutMs} ms after healing: ${this.#describe()}`);
      this.#time.advance(TICK_MS);
    }
    this.#time.advance(20 * electionTimeoutMs);
    const leader = this.#leader();
    const raft = leader?.raft;
    if (raft === undefined) throw new Error(`the leader was lost after healing: ${this.#describe()}`);
    if (isJoint(raft.membership)) throw new Error('a joint membership did not end');
    const { voters, learners } = raft.membership;
    for (const id of [...voters, ...learners]) {
      const applied = this.#nodes.get(id)?.applied ?? 0;
      if (applied !== raft.lastIndex) throw new Error(`${id} has applied ${applied} of ${raft.lastIndex}: ${this.#describe()}`);
    }
    for (const [read, { node, life }] of this.#reads) {
      if (node.life === life) throw new Error(`read ${read} at ${node.id} was never answered`);
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

  #pick<T>(items: readonly T[]): T | undefined {
    return items[Math.floor(this.#random.float() * items.length)];
  }

  #mix(text: string): void {
    for (let position = 0; position < text.length; position++) {
      this.#trace = Math.imul(this.#trace ^ text.charCodeAt(position), 0x01000193);
    }
  }
}
