import { assertInvariant } from './errors.ts';
import type { Entry, NodeId, SnapshotMeta } from './entry.ts';
import type { Effects, PersistToken, ReadState, Role, Status } from './effects.ts';
import type { RaftLog } from './log.ts';
import { isVoter } from './membership.ts';
import type { Message } from './message.ts';
import type { RaftOptions, RaftPorts } from './options.ts';
import type { Progress } from './progress.ts';

/** What only a leader has. */
export interface Leadership {
  readonly progress: Map<NodeId, Progress>;
  /** Of the no-op that this term begins with: before it is committed, nothing is known to be (Raft 8). */
  readonly firstIndex: number;
  /** Reads are answered without asking until then, as far as the heartbeats go: see `hasLease`. Infinity for a sole voter. */
  leaseUntilMs: number;
  /** An heir was told to stand, and did not in time: it may yet, whenever that message arrives, and no lease holds it back. */
  leaseForfeited: boolean;
  /** The latest round of heartbeats, and when each of the recent ones was sent. */
  round: number;
  readonly rounds: { readonly round: number; readonly sentMs: number }[];
  reads: PendingRead[];
  /** `called`: the heir has been told to stand. */
  transfer: { readonly to: NodeId; readonly deadlineMs: number; called: boolean } | undefined;
  uncommittedBytes: number;
  nextHeartbeatMs: number;
}

export interface PendingRead {
  readonly id: number;
  /** Committed when the read came in; 0: not known before the no-op is committed. */
  index: number;
  /** The round of heartbeats that must be answered. */
  readonly round: number;
}

/** The fields of one server, shared by the modules beside this one; nobody else sees it. */
export class RaftState {
  readonly options: RaftOptions;
  readonly ports: RaftPorts;
  readonly log: RaftLog;
  nowMs = 0;
  role: Role = 'follower';
  term: number;
  vote: NodeId | undefined;
  leader: NodeId | undefined;
  votes = new Map<NodeId, boolean>();
  leadership: Leadership | undefined;
  /** Follower: when to stand. Candidate: when to try again. */
  electionDeadlineMs = 0;
  /** Follower: when the leader was last heard. */
  leaderHeardMs = -Infinity;
  /**
   * After a restart a server votes for nobody as long as it may have promised a leader, before, not to: the lease that a leader serves
   * reads by rests on that.
   */
  quietUntilMs = -Infinity;
  /** This leader is a voter no longer. */
  mustStepDown = false;

  #messages: Message[] = [];
  #afterPersist: Message[] = [];
  #reads: ReadState[] = [];
  #snapshot: SnapshotMeta | undefined;
  #hardStateChanged = false;
  #emitted: number;
  #savedCommit: number;
  #lastStatus: Status | undefined;

  constructor(options: RaftOptions, ports: RaftPorts, log: RaftLog, term: number, vote: NodeId | undefined, applied: number) {
    this.options = options;
    this.ports = ports;
    this.log = log;
    this.term = term;
    this.vote = vote;
    this.#emitted = Math.max(applied, log.snapshot.index);
    this.#savedCommit = log.committed;
  }

  get id(): NodeId {
    return this.options.id;
  }

  /**
   * May stand for election: also one whom only an uncommitted entry removes. Others may still need its vote, and it refuses them when that
   * entry makes its log the longer one; then nobody but itself can be elected (thesis 4.2.2).
   */
  get mayStand(): boolean {
    return this.log.possibleMemberships.some((membership) => isVoter(membership, this.id));
  }

  /** Leaders' appends and heartbeats, and pre-votes: nothing of this server's own need be durable for them. */
  sendNow(message: Message): void {
    this.#messages.push(message);
  }

  /** Promises: votes and acknowledgements, valid only once what they promise is durable. */
  sendWhenDurable(message: Message): void {
    this.#afterPersist.push(message);
  }

  answerRead(read: ReadState): void {
    this.#reads.push(read);
  }

  setTerm(term: number, vote: NodeId | undefined): void {
    assertInvariant(term >= this.term, `term ${term} behind ${this.term}`);
    assertInvariant(term > this.term || this.vote === undefined || this.vote === vote, `second vote in term ${term}`);
    if (term === this.term && vote === this.vote) return;
    this.term = term;
    this.vote = vote;
    this.#hardStateChanged = true;
  }

  restoreFrom(snapshot: SnapshotMeta): void {
    this.log.restore(snapshot);
    this.#snapshot = snapshot;
    this.#emitted = snapshot.index;
  }

  takeEffects(): Effects {
    const effects: Effects = {
      messages: this.#take('messages'),
      persist: this.#takePersist(),
      committed: this.#takeCommitted(),
      reads: this.#takeReads(),
      status: this.#takeStatus(),
    };
    return effects;
  }

  #take(kind: 'messages' | 'afterPersist'): readonly Message[] {
    if (kind === 'messages') {
      const messages = this.#messages;
      this.#messages = [];
      return messages;
    }
    const messages = this.#afterPersist;
    this.#afterPersist = [];
    return messages;
  }

  #takePersist(): Effects['persist'] {
    const entries = this.log.takeUnsaved();
    const messages = this.#take('afterPersist');
    const snapshot = this.#snapshot;
    if (!this.#hardStateChanged && entries.length === 0 && snapshot === undefined && messages.length === 0) return undefined;
    // The commit index goes along with what is written anyway.
    const writes = this.#hardStateChanged || entries.length > 0 || snapshot !== undefined;
    const commitChanged = writes && this.log.committed !== this.#savedCommit;
    const hardState =
      this.#hardStateChanged || commitChanged ? { term: this.term, vote: this.vote, commit: this.log.committed } : undefined;
    if (hardState !== undefined) this.#savedCommit = hardState.commit;
    this.#hardStateChanged = false;
    this.#snapshot = undefined;
    const token: PersistToken = { lastIndex: this.log.lastIndex, lastTerm: this.log.lastTerm, term: this.term };
    return { token, hardState, entries, snapshot, messages };
  }

  /** Only what is durable here too: after a crash the state machine is never ahead of the log. */
  #takeCommitted(): readonly Entry[] {
    const through = Math.min(this.log.committed, this.log.stable);
    if (through <= this.#emitted) return [];
    const entries = this.log.slice(this.#emitted + 1, through);
    this.#emitted = through;
    return entries;
  }

  #takeReads(): readonly ReadState[] {
    const reads = this.#reads;
    this.#reads = [];
    return reads;
  }

  #takeStatus(): Status | undefined {
    const { role, term, leader } = this;
    const last = this.#lastStatus;
    if (last !== undefined && last.role === role && last.term === term && last.leader === leader) return undefined;
    this.#lastStatus = { role, term, leader };
    return this.#lastStatus;
  }
}

export function mustLead(state: RaftState): Leadership {
  assertInvariant(state.leadership !== undefined, 'no leader');
  return state.leadership;
}
