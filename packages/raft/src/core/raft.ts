import type { Effects, PersistToken, Role } from './effects.ts';
import {
  becomeFollower,
  handleVoteReply,
  handleVoteRequest,
  isLeaderAlive,
  ownVoteDurable,
  resetElectionDeadline,
  startElection,
  startPreVote,
} from './election.ts';
import { entryBytes, type Membership, type NodeId, type SnapshotMeta } from './entry.ts';
import { assertInvariant, RaftError } from './errors.ts';
import { broadcastHeartbeat } from './heartbeat.ts';
import { RaftLog } from './log.ts';
import { changeMembership, encodeMembership, isVoter, type MembershipChange } from './membership.ts';
import type { Message } from './message.ts';
import type { RaftOptions, RaftPorts, Recovered } from './options.ts';
import type { Progress } from './progress.ts';
import { quorumValue } from './quorum.ts';
import { hasLease, startRead } from './reads.ts';
import {
  appendOwn,
  handleAppend,
  handleAppendReply,
  handleHeartbeat,
  handleHeartbeatReply,
  handleSnapshot,
  maybeTransfer,
  ownEntriesDurable,
  sendAppend,
} from './replication.ts';
import { type Leadership, RaftState } from './state.ts';

/**
 * One server of a Raft cluster, without I/O: time, messages, proposals and acknowledgements of storage go in, `takeEffects` says what has
 * to be done. Same inputs and same random numbers, same effects.
 *
 * `nowMs` is monotonic and must not go back between two calls.
 */
export class Raft {
  readonly #state: RaftState;
  #lastTickMs: number;

  constructor(options: RaftOptions, ports: RaftPorts, recovered: Recovered, nowMs: number) {
    checkOptions(options);
    const { hardState, snapshot, entries, applied } = recovered;
    const log = new RaftLog(snapshot, entries, hardState.commit);
    assertInvariant(hardState.term >= log.lastTerm, `stored term ${hardState.term} is behind the log's ${log.lastTerm}`);
    const state = new RaftState(options, ports, log, hardState.term, hardState.vote, applied);
    state.nowMs = nowMs;
    if (hardState.term > 0) state.quietUntilMs = nowMs + options.electionTimeoutMs;
    resetElectionDeadline(state);
    this.#state = state;
    this.#lastTickMs = nowMs;
  }

  get role(): Role {
    return this.#state.role;
  }

  get term(): number {
    return this.#state.term;
  }

  get leader(): NodeId | undefined {
    return this.#state.leader;
  }

  get committed(): number {
    return this.#state.log.committed;
  }

  get lastIndex(): number {
    return this.#state.log.lastIndex;
  }

  get lastTerm(): number {
    return this.#state.log.lastTerm;
  }

  get firstIndex(): number {
    return this.#state.log.firstIndex;
  }

  get membership(): Membership {
    return this.#state.log.membership;
  }

  /** When a leader was last in touch; now, for the leader itself. */
  get leaderHeardMs(): number {
    return this.#state.role === 'leader' ? this.#state.nowMs : this.#state.leaderHeardMs;
  }

  /** Of the leader's followers; empty elsewhere. */
  get progress(): ReadonlyMap<NodeId, Progress> {
    return this.#state.leadership?.progress ?? new Map<NodeId, Progress>();
  }

  termOf(index: number): number | undefined {
    return this.#state.log.termOf(index);
  }

  /** To be called a few times a heartbeat. */
  tick(nowMs: number): void {
    const state = this.#at(nowMs);
    const sinceMs = nowMs - this.#lastTickMs;
    this.#lastTickMs = nowMs;
    if (state.leadership !== undefined) {
      this.#tickLeader(state.leadership);
      return;
    }
    // This process did not run: what the leader has sent meanwhile has not been read yet.
    if (sinceMs > state.options.electionTimeoutMs / 2) resetElectionDeadline(state);
    if (nowMs >= state.electionDeadlineMs) startPreVote(state);
  }

  #tickLeader(leadership: Leadership): void {
    const state = this.#state;
    const { nowMs, options } = state;
    if (leadership.transfer !== undefined && nowMs >= leadership.transfer.deadlineMs) giveUpTransfer(leadership);
    const heardMs = quorumValue(state.log.membership, (id) =>
      id === state.id ? nowMs : (leadership.progress.get(id)?.heardMs ?? -Infinity),
    );
    // Check-quorum: whoever cannot reach a majority does not lead, whatever it believes (thesis 6.2).
    if (nowMs - heardMs >= options.electionTimeoutMs) becomeFollower(state, state.term, undefined);
    else if (nowMs >= leadership.nextHeartbeatMs) broadcastHeartbeat(state);
  }

  step(message: Message, nowMs: number): void {
    const state = this.#at(nowMs);
    if (message.to !== state.id || message.from === state.id) return;
    if (message.term > state.term && !this.#meetNewerTerm(message)) return;
    if (message.term < state.term) {
      this.#answerOlderTerm(message);
      return;
    }
    this.#dispatch(message);
    this.#settle();
  }

  /** False: the message is not to be handled. */
  #meetNewerTerm(message: Message): boolean {
    const state = this.#state;
    if (message.type === 'vote') {
      if (!message.transfer && isLeaderAlive(state)) return false;
      if (message.preVote) {
        handleVoteRequest(state, message);
        return false;
      }
    }
    if (message.type === 'vote-reply' && message.preVote && message.granted) {
      handleVoteReply(state, message);
      return false;
    }
    becomeFollower(state, message.term, isFromLeader(message) ? message.from : undefined);
    return true;
  }

  /** The sender is behind. A leader, or a would-be one, has to learn of it, or it might disturb or be ignored for ever. */
  #answerOlderTerm(message: Message): void {
    const state = this.#state;
    const common = { from: state.id, to: message.from, term: state.term };
    if (isFromLeader(message)) {
      state.sendWhenDurable({ type: 'append-reply', ...common, index: 0, rejected: true, hintIndex: 0, hintTerm: 0 });
    } else if (message.type === 'vote' && message.preVote) {
      state.sendNow({ type: 'vote-reply', ...common, preVote: true, granted: false });
    }
  }

  #dispatch(message: Message): void {
    const state = this.#state;
    const progress = state.leadership?.progress.get(message.from);
    if (progress !== undefined) progress.heardMs = state.nowMs;
    switch (message.type) {
      case 'vote':
        handleVoteRequest(state, message);
        return;
      case 'vote-reply':
        handleVoteReply(state, message);
        return;
      case 'append':
      case 'heartbeat':
      case 'snapshot':
        this.#follow(message.from);
        if (message.type === 'append') handleAppend(state, message);
        else if (message.type === 'heartbeat') handleHeartbeat(state, message);
        else handleSnapshot(state, message);
        return;
      case 'append-reply':
        if (state.role === 'leader') handleAppendReply(state, message);
        return;
      case 'heartbeat-reply':
        if (state.role === 'leader') handleHeartbeatReply(state, message);
        return;
      case 'timeout-now':
        if (state.role === 'follower') startElection(state, true);
    }
  }

  #follow(leader: NodeId): void {
    const state = this.#state;
    assertInvariant(state.role !== 'leader', `two leaders in term ${state.term}: ${state.id} and ${leader}`);
    if (state.role !== 'follower') becomeFollower(state, state.term, leader);
    state.leader = leader;
    state.leaderHeardMs = state.nowMs;
    resetElectionDeadline(state);
  }

  /**
   * Appends commands to the leader's log. They are committed when they come out of `committed` with this index and term; an entry of another
   * term at that index means that they never will be.
   * @throws RaftError `not-leader`, `transferring`, `overloaded`
   */
  propose(commands: readonly Uint8Array[], nowMs: number): { readonly index: number; readonly term: number } {
    const state = this.#at(nowMs);
    const leadership = this.#mustPropose();
    const bytes = commands.reduce((sum, data) => sum + entryBytes({ index: 0, term: 0, kind: 'command', data }), 0);
    if (leadership.uncommittedBytes > 0 && leadership.uncommittedBytes + bytes > state.options.maxUncommittedBytes) {
      throw new RaftError('overloaded', `${leadership.uncommittedBytes} bytes are not committed yet`);
    }
    const index = appendOwn(
      state,
      commands.map((data) => ({ kind: 'command', data })),
    );
    return { index, term: state.term };
  }

  /** @throws RaftError `not-leader`, `transferring`, `membership-pending`, `invalid-membership`, `quorum-silent` */
  changeMembership(changes: readonly MembershipChange[], nowMs: number): { readonly index: number; readonly term: number } {
    const state = this.#at(nowMs);
    const leadership = this.#mustPropose();
    const { log } = state;
    if (log.membershipIndex > log.committed || log.committed < leadership.firstIndex) {
      throw new RaftError('membership-pending', 'an earlier change, or the term itself, is not committed yet');
    }
    const next = changeMembership(log.membership, changes);
    if (!this.#wouldCommit(next, leadership)) {
      throw new RaftError(
        'quorum-silent',
        'too few of the voters there would be have answered lately: nothing could be committed any more',
      );
    }
    const index = appendOwn(state, [{ kind: 'membership', data: encodeMembership(next) }]);
    return { index, term: state.term };
  }

  /**
   * A joint membership that cannot be committed ends the cluster for good: the silent ones are known to be silent only by this leader's own
   * experience, whatever others believe. Who is new is believed to be there.
   */
  #wouldCommit(next: Membership, { progress, firstIndex }: Leadership): boolean {
    const { id: ownId, nowMs, options } = this.#state;
    const heardMs = quorumValue(next, (id) => {
      const known = progress.get(id);
      if (id === ownId || known === undefined) return nowMs;
      return known.match >= firstIndex ? known.heardMs : -Infinity;
    });
    return nowMs - heardMs < options.electionTimeoutMs;
  }

  #mustPropose(): Leadership {
    const { leadership } = this.#state;
    if (leadership === undefined) throw new RaftError('not-leader', 'not the leader');
    if (leadership.transfer !== undefined) throw new RaftError('transferring', 'leadership is being transferred');
    return leadership;
  }

  /** A consistent read: `reads` answers this id with the index to wait for. */
  read(id: number, nowMs: number): void {
    startRead(this.#at(nowMs), id);
  }

  hasLease(nowMs: number): boolean {
    return hasLease(this.#at(nowMs));
  }

  /**
   * May a leader whose state machine is at `applied` answer a read from it? What former leaders have acknowledged lies before this term's
   * first entry, and what this one has, is applied.
   */
  canAnswerReads(applied: number, nowMs: number): boolean {
    const { leadership } = this.#state;
    return leadership !== undefined && applied >= leadership.firstIndex && this.hasLease(nowMs);
  }

  /** Stops taking proposals until `to` has taken over, or an election timeout has passed. @throws RaftError */
  transferLeadership(to: NodeId, nowMs: number): void {
    const state = this.#at(nowMs);
    const leadership = this.#mustPropose();
    if (to === state.id || !isVoter(state.log.membership, to)) throw new RaftError('invalid-membership', `${to} is no other voter`);
    leadership.transfer = { to, deadlineMs: nowMs + state.options.electionTimeoutMs, called: false };
    sendAppend(state, to, false);
    maybeTransfer(state, to);
  }

  get isTransferring(): boolean {
    return this.#state.leadership?.transfer !== undefined;
  }

  /** Gives up leadership without naming an heir: a disk or an event loop that stalls. */
  stepDown(nowMs: number): void {
    const state = this.#at(nowMs);
    if (state.role === 'leader') becomeFollower(state, state.term, undefined);
  }

  /** Stands for election now, without waiting for the timeout. */
  campaign(nowMs: number): void {
    startPreVote(this.#at(nowMs));
  }

  /** Everything in the batch that came with this token is durable. In the order of the batches. */
  persisted(token: PersistToken, nowMs: number): void {
    const state = this.#at(nowMs);
    state.log.stableTo(token.lastIndex, token.lastTerm);
    ownVoteDurable(state, token.term);
    ownEntriesDurable(state);
    this.#settle();
  }

  /** What became of a `snapshot` message, which takes long: whether its data have all been delivered. */
  snapshotSent(to: NodeId, delivered: boolean, nowMs: number): void {
    const progress = this.#at(nowMs).leadership?.progress.get(to);
    if (progress?.state !== 'snapshot') return;
    if (delivered) progress.becomeProbe();
    else progress.snapshotFailed();
  }

  /** The state machine's snapshot is durable; entries before `keepFrom` can go, as far as it covers them. */
  compact(snapshot: SnapshotMeta, keepFrom: number): void {
    this.#state.log.compact(snapshot, keepFrom);
  }

  /** What a snapshot of the state machine at `index` stands for. @throws for an index that is compacted away */
  snapshotAt(index: number): SnapshotMeta {
    const { log } = this.#state;
    const term = log.termOf(index);
    assertInvariant(term !== undefined && index <= log.committed, `no snapshot at ${index}`);
    return { index, term, membership: log.membershipAt(index) };
  }

  takeEffects(): Effects {
    return this.#state.takeEffects();
  }

  #at(nowMs: number): RaftState {
    assertInvariant(nowMs >= this.#state.nowMs, 'time went back');
    this.#state.nowMs = nowMs;
    return this.#state;
  }

  #settle(): void {
    const state = this.#state;
    if (!state.mustStepDown) return;
    state.mustStepDown = false;
    if (state.role === 'leader') becomeFollower(state, state.term, undefined);
  }
}

function giveUpTransfer(leadership: Leadership): void {
  leadership.leaseForfeited ||= leadership.transfer?.called === true;
  leadership.transfer = undefined;
}

function isFromLeader(message: Message): boolean {
  return message.type === 'append' || message.type === 'heartbeat' || message.type === 'snapshot';
}

function checkOptions({ heartbeatMs, electionTimeoutMs, leaseMs }: RaftOptions): void {
  assertInvariant(heartbeatMs > 0 && heartbeatMs < electionTimeoutMs, 'heartbeats must be more frequent than elections');
  assertInvariant(leaseMs > 0 && leaseMs < electionTimeoutMs, 'the lease must end before another leader can be elected');
}
