import type { AppendRequest, Message } from '@lictor/raft';
import type { Host, MessageObserver } from '../network/virtual-network.ts';
import type { LogMirror } from './log-mirror.ts';

export interface CommittedEntries {
  /** The highest log index that was committed in a term before this one. */
  lastBefore(term: number): number;
  /** Of the entry that was committed there, in `term` or before; undefined: none, or not known. */
  termAt(index: number, term: number): number | undefined;
}

/** What servers promise each other by their messages. */
export class RaftObserver implements MessageObserver {
  readonly #leaders: Map<number, string>;
  readonly #votes = new Map<string, string>();
  readonly #mirrorOf: (nodeId: string) => LogMirror;
  readonly #committed: CommittedEntries;
  readonly #report: (what: string) => void;
  readonly #onLeader: (host: Host, term: number) => void;
  /** When each process last heard from a leader. */
  readonly heardLeaderMs = new Map<Host, number>();
  readonly #nowMs: () => number;
  #clusterId: string | undefined;

  constructor(options: {
    readonly leaders: Map<number, string>;
    readonly mirrorOf: (nodeId: string) => LogMirror;
    readonly committed: CommittedEntries;
    readonly nowMs: () => number;
    readonly report: (what: string) => void;
    readonly onLeader: (host: Host, term: number) => void;
  }) {
    this.#leaders = options.leaders;
    this.#mirrorOf = options.mirrorOf;
    this.#committed = options.committed;
    this.#nowMs = options.nowMs;
    this.#report = options.report;
    this.#onLeader = options.onLeader;
  }

  /** A cluster is made exactly once. */
  joined(host: Host, clusterId: string): void {
    this.#clusterId ??= clusterId;
    if (clusterId !== this.#clusterId) this.#report(`one cluster: ${host.nodeId} is of ${clusterId}, others of ${this.#clusterId}`);
  }

  sent(host: Host, message: Message): void {
    switch (message.type) {
      case 'append':
        this.#leads(host, message.term);
        this.#complete(host, message);
        break;
      case 'heartbeat':
      case 'snapshot':
      case 'timeout-now':
        this.#leads(host, message.term);
        break;
      case 'vote-reply':
        if (message.granted && !message.preVote) this.#voted(host, message.term, message.to);
        break;
      case 'append-reply':
        if (!message.rejected) this.#acknowledged(host, message.index);
        break;
      default:
    }
  }

  received(host: Host, { type, snapshot }: Message & { readonly snapshot?: { readonly index: number } }): void {
    if (type === 'append' || type === 'heartbeat' || type === 'snapshot') this.heardLeaderMs.set(host, this.#nowMs());
    if (type !== 'snapshot' || snapshot === undefined) return;
    const mirror = this.#mirrorOf(host.nodeId);
    mirror.snapshotIndex = Math.max(mirror.snapshotIndex, snapshot.index);
  }

  #leads(host: Host, term: number): void {
    const known = this.#leaders.get(term);
    if (known === host.nodeId) return;
    if (known !== undefined) return this.#report(`election safety: ${known} and ${host.nodeId} lead in term ${term}`);
    this.#leaders.set(term, host.nodeId);
    this.#onLeader(host, term);
    return undefined;
  }

  /** Leader completeness: what was committed in earlier terms lies before the first entry of this one, and is the same. */
  #complete(host: Host, { term, prevIndex, prevTerm, entries }: AppendRequest): void {
    this.#compare(host, prevIndex, prevTerm, term);
    for (const entry of entries) this.#compare(host, entry.index, entry.term, term);
    const own = entries.find((entry) => entry.term === term);
    if (own === undefined || own.kind !== 'noop') return;
    const committed = this.#committed.lastBefore(term);
    if (committed >= own.index)
      this.#report(`leader completeness: ${host.nodeId} begins term ${term} at ${own.index}, and ${committed} was committed`);
  }

  #compare(host: Host, index: number, heldTerm: number, term: number): void {
    // Who leads in an older term, by votes that came late, need not have what a newer leader has committed, and can do nothing with that.
    const committed = this.#committed.termAt(index, term);
    if (committed === undefined || committed === heldTerm) return;
    this.#report(
      `leader completeness: ${host.nodeId} in term ${term} has entry ${index} of term ${heldTerm}, of term ${committed} was committed`,
    );
  }

  #voted(host: Host, term: number, candidate: string): void {
    const key = `${host.nodeId} ${term}`;
    const known = this.#votes.get(key);
    if (known !== undefined && known !== candidate)
      this.#report(`one vote a term: ${host.nodeId} in term ${term} for ${known} and ${candidate}`);
    this.#votes.set(key, candidate);
    const { ackedState } = this.#mirrorOf(host.nodeId);
    if (ackedState.term < term || (ackedState.term === term && ackedState.vote !== candidate)) {
      this.#report(`durability: ${host.nodeId} tells of a vote in term ${term} that is not on its disk`);
    }
  }

  #acknowledged(host: Host, index: number): void {
    const mirror = this.#mirrorOf(host.nodeId);
    if (index <= mirror.ackedIndex || index <= mirror.snapshotIndex) return;
    this.#report(`durability: ${host.nodeId} acknowledges entry ${index}, and its disk has ${mirror.ackedIndex}`);
  }
}
