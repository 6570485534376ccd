import type { Random } from '@lictor/protocol';
import type { NodeId } from '../core/entry.ts';
import { RaftError } from '../core/errors.ts';
import type { MembershipChange } from '../core/membership.ts';
import { drawChanges } from './membership-weather.ts';
import { type Sent, SIM_OPTIONS, type SimNode } from './sim-node.ts';
import type { VirtualTime } from './virtual-time.ts';
import type { Weather } from './weather.ts';

/** What faults see of a simulation, and do to it. */
export interface SimWorld {
  readonly random: Random;
  readonly time: VirtualTime;
  readonly nodes: ReadonlyMap<NodeId, SimNode>;
  /** Links that carry nothing, `from>to`. */
  readonly cut: Set<string>;
  readonly weather: Weather;
  readonly isStormy: boolean;
  readonly counts: { crashes: number; membershipChanges: number };
  leader(): SimNode | undefined;
  pick<T>(items: readonly T[]): T | undefined;
  /** Some client writes or reads. */
  client(): void;
  write(node: SimNode): void;
  read(node: SimNode): void;
}

/** `deafen`: the old leader hears nothing more; `silence`: the heir is not heard; `late`: the heir is told when nobody expects it any more. */
type Trouble = 'none' | 'deafen' | 'silence' | 'late';

const TROUBLES: readonly Trouble[] = ['none', 'deafen', 'silence', 'late'];

/** Whatever may go wrong in a storm. */
export class SimFaults {
  readonly #world: SimWorld;
  /** Whose calls to stand for election (`timeout-now`) are on their way until when. */
  readonly #duelists = new Map<NodeId, number>();

  constructor(world: SimWorld) {
    this.#world = world;
  }

  /** How long a message is held back; a vote for a duelist may cost the voter its life. */
  heldBackMs({ message }: Sent): number {
    if (this.#duelists.size === 0) return 0;
    if (message.type === 'vote-reply' && !message.preVote && message.granted && this.#world.random.float() < 0.7) {
      const voter = this.#world.nodes.get(message.from);
      this.#world.time.at(this.#world.random.float() * 3, () => this.#world.isStormy && voter !== undefined && this.#crash(voter, 4));
    }
    return message.type === 'timeout-now' ? Math.max(0, (this.#duelists.get(message.to) ?? 0) - this.#world.time.nowMs) : 0;
  }

  /** One thing that goes wrong. */
  strike(): void {
    const dice = this.#world.random.float();
    const node = this.#world.pick([...this.#world.nodes.values()]);
    if (node === undefined) return;
    if (dice < 0.2) this.#crash(node);
    else if (dice < 0.27) this.#powerLoss();
    else if (dice < 0.5) this.#partition();
    else if (dice < 0.6) this.#world.cut.clear();
    else if (dice < 0.7) this.#pause(node);
    else if (dice < 0.8) node.compact(Math.floor(this.#world.random.float() * 20));
    else if (dice < 0.88) this.#changeMembers();
    else if (dice < 0.96) this.transfer();
    else this.#duel();
  }

  #crash(node: SimNode, downMs = this.#world.weather.downMs): void {
    if (!node.isUp) return;
    this.#world.counts.crashes++;
    node.crash();
    this.#world.time.at(1 + this.#world.random.float() * downMs, () => !node.isUp && node.start(this.#world.time.nowMs));
  }

  /** Several at the same moment: what only they had, and had not synced, is gone. */
  #powerLoss(): void {
    for (const node of this.#world.nodes.values()) if (this.#world.random.float() < 0.7) this.#crash(node);
  }

  /** A new leader that dies young, and, as in figure 8 of the paper, often before anyone has heard of it. */
  maybeCrashSoon(node: SimNode): void {
    if (!this.#world.isStormy || this.#world.random.float() >= this.#world.weather.leaderCrashRate) return;
    if (this.#world.random.float() < 0.5) {
      const afterMs = this.#world.random.float() < 0.5 ? 0 : this.#world.random.float() * 30;
      this.#world.time.at(afterMs, () => {
        if (!this.#world.isStormy) return;
        this.#silence(node.id);
        for (let write = 0; write < 3 && node.raft?.role === 'leader'; write++) this.#world.write(node);
      });
    }
    this.#world.time.at(this.#world.random.float() * 60, () => this.#world.isStormy && this.#crash(node));
  }

  /** Nobody hears it any more. */
  #silence(from: NodeId): void {
    for (const to of this.#world.nodes.keys()) this.#world.cut.add(`${from}>${to}`);
    this.#world.time.at(100, () => {
      for (const to of this.#world.nodes.keys()) this.#world.cut.delete(`${from}>${to}`);
    });
  }

  /** It hears nobody any more. */
  #deafen(to: NodeId): void {
    for (const from of this.#world.nodes.keys()) this.#world.cut.add(`${from}>${to}`);
    this.#world.time.at(200, () => {
      for (const from of this.#world.nodes.keys()) this.#world.cut.delete(`${from}>${to}`);
    });
  }

  #partition(): void {
    const side = [...this.#world.nodes.keys()].filter(() => this.#world.random.float() < 0.5);
    this.#cutOff(new Set(side), this.#world.random.float() < 0.3);
  }

  #cutOff(side: ReadonlySet<NodeId>, oneWay: boolean): void {
    this.#world.cut.clear();
    for (const a of this.#world.nodes.keys()) {
      for (const b of this.#world.nodes.keys()) {
        if (side.has(a) && !side.has(b)) this.#world.cut.add(`${a}>${b}`);
        if (side.has(b) && !side.has(a) && !oneWay) this.#world.cut.add(`${a}>${b}`);
      }
    }
  }

  #pause(node: SimNode): void {
    node.paused = true;
    this.#world.time.at(100 + this.#world.random.float() * 1000, () => {
      node.paused = false;
      // Requests have waited in the socket: they are read before the clock is.
      if (this.#world.isStormy && node.raft?.role === 'leader') this.#world.read(node);
    });
  }

  #changeMembers(): void {
    const leader = this.#world.leader();
    if (leader === undefined) return;
    const changes = drawChanges([...this.#world.nodes.keys()], leader.raft?.membership.voters ?? [], this.#world.random);
    leader.input((raft) => {
      try {
        raft.changeMembership(changes, this.#world.time.nowMs);
        this.#world.counts.membershipChanges++;
        this.maybeCrashSoon(leader);
        this.#maybeSplit(leader, changes);
      } catch (error) {
        if (!(error instanceof RaftError)) throw error;
      }
    });
  }

  /** Those who are to vote, with the leader, are cut off from the others: only the new ones hear of the change. */
  #maybeSplit(leader: SimNode, changes: readonly MembershipChange[]): void {
    if (this.#world.random.float() < 0.5) return;
    const coming = changes.filter(({ to }) => to === 'voter').map(({ id }) => id);
    this.#cutOff(new Set([leader.id, ...coming]), false);
  }

  /** Just after the heir has been told, the old leader may not hear of its successor, or nobody of the heir's election. */
  transfer(trouble: Trouble | undefined = this.#world.pick(TROUBLES)): void {
    const leader = this.#world.leader();
    const to = this.#world.pick([...this.#world.nodes.keys()].filter((id) => id !== leader?.id));
    if (leader === undefined || to === undefined) return;
    const callMs = trouble === 'late' ? this.#delayCall(to) : 0;
    if (!this.#handOver(leader, to)) return;
    if (trouble === 'silence') this.#silence(to);
    else if (trouble === 'deafen' || trouble === 'late') {
      this.#world.time.at(callMs, () => this.#world.isStormy && this.#leadOnDeaf(leader));
    }
  }

  /** The heir is told to stand when the leader has given the transfer up, and trusts its lease again if it should. Returns when. */
  #delayCall(to: NodeId): number {
    const waitMs = SIM_OPTIONS.electionTimeoutMs + 10 + this.#world.random.float() * 60;
    this.#duelists.set(to, this.#world.time.nowMs + waitMs);
    this.#world.time.at(waitMs + 10, () => this.#duelists.clear());
    return waitMs;
  }

  /** It does not hear of its successor, and goes on answering reads as long as it may. */
  #leadOnDeaf(leader: SimNode): void {
    this.#deafen(leader.id);
    for (let afterMs = 20; afterMs < SIM_OPTIONS.leaseMs; afterMs += 20) {
      this.#world.time.at(afterMs, () => this.#world.isStormy && this.#world.client());
      this.#world.time.at(afterMs, () => this.#world.isStormy && leader.raft?.role === 'leader' && this.#world.read(leader));
    }
  }

  #handOver(leader: SimNode, to: NodeId): boolean {
    let accepted = false;
    leader.input((raft) => {
      try {
        raft.transferLeadership(to, this.#world.time.nowMs);
        accepted = true;
      } catch (error) {
        if (!(error instanceof RaftError)) throw error;
      }
    });
    return accepted;
  }

  /** Two heirs, since the first one's call is late: both stand in the same term, while those who vote restart. */
  #duel(): void {
    const leader = this.#world.leader();
    const [first, second] = leader?.raft?.membership.voters.filter((id) => id !== leader.id) ?? [];
    if (leader === undefined || first === undefined || second === undefined || !this.#handOver(leader, first)) return;
    const { electionTimeoutMs } = SIM_OPTIONS;
    const callMs = this.#world.time.nowMs + electionTimeoutMs + 40;
    const laterMs = this.#world.random.float() * (10 + 2 * (this.#world.weather.delayMs + this.#world.weather.diskMs));
    this.#duelists.set(first, callMs).set(second, callMs + laterMs);
    this.#world.cut.add(`${first}>${second}`).add(`${second}>${first}`);
    this.#world.time.at(electionTimeoutMs + 15, () => this.#world.isStormy && this.#handOver(leader, second));
    this.#world.time.at(2.5 * electionTimeoutMs, () => this.#duelists.clear());
  }
}
