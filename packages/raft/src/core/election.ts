import type { NodeId } from './entry.ts';
import { broadcastHeartbeat } from './heartbeat.ts';
import type { VoteReply, VoteRequest } from './message.ts';
import { Progress } from './progress.ts';
import { membersOf } from './membership.ts';
import { countVotes } from './quorum.ts';
import { failReads, renewLease } from './reads.ts';
import { appendNoop } from './replication.ts';
import type { RaftState } from './state.ts';

export function becomeFollower(state: RaftState, term: number, leader: NodeId | undefined): void {
  failReads(state);
  state.setTerm(term, term > state.term ? undefined : state.vote);
  state.role = 'follower';
  state.leader = leader;
  state.leadership = undefined;
  state.votes.clear();
  resetElectionDeadline(state);
}

/** Between once and twice the timeout, so that seldom two stand at once (Raft 5.2). */
export function resetElectionDeadline(state: RaftState): void {
  const { electionTimeoutMs } = state.options;
  state.electionDeadlineMs = state.nowMs + electionTimeoutMs * (1 + state.ports.random.float());
}

/** Asks first whether an election could be won; terms stay as they are (thesis 9.6). */
export function startPreVote(state: RaftState): void {
  if (!mayStand(state)) return;
  state.role = 'pre-candidate';
  state.leader = undefined;
  ask(state, { preVote: true, transfer: false });
  decide(state);
}

export function startElection(state: RaftState, transfer: boolean): void {
  if (!mayStand(state)) return;
  state.setTerm(state.term + 1, state.id);
  state.role = 'candidate';
  state.leader = undefined;
  ask(state, { preVote: false, transfer });
}

/** A candidate's own vote counts when it is durable: after a crash it might be given to another. */
export function ownVoteDurable(state: RaftState, term: number): void {
  if (state.role !== 'candidate' || state.term !== term || state.votes.has(state.id)) return;
  state.votes.set(state.id, true);
  decide(state);
}

export function handleVoteRequest(state: RaftState, request: VoteRequest): void {
  const { from, term, preVote, lastIndex, lastTerm } = request;
  const mayVote = preVote
    ? term > state.term
    : term === state.term && (state.vote === undefined ? state.leader === undefined : state.vote === from);
  const granted = mayVote && state.log.isUpToDate(lastIndex, lastTerm);
  if (granted && !preVote) {
    state.setTerm(term, from);
    resetElectionDeadline(state);
  }
  // A granted pre-vote answers with the term asked for, a refusal with our own: a candidate that is behind learns of it.
  const reply: VoteReply = { type: 'vote-reply', from: state.id, to: from, term: granted ? term : state.term, preVote, granted };
  if (preVote) state.sendNow(reply);
  else state.sendWhenDurable(reply);
}

export function handleVoteReply(state: RaftState, reply: VoteReply): void {
  const expected = reply.preVote ? 'pre-candidate' : 'candidate';
  const isForUs = reply.preVote ? !reply.granted || reply.term === state.term + 1 : reply.term === state.term;
  if (state.role !== expected || !isForUs || state.votes.has(reply.from)) return;
  state.votes.set(reply.from, reply.granted);
  decide(state);
}

/**
 * A vote that would unseat a leader who is well is not even heard: a server that was cut off, or is no member any more, cannot disturb
 * (thesis 4.2.3). A leader's own request to be replaced is.
 */
export function isLeaderAlive(state: RaftState): boolean {
  if (state.role === 'leader' || state.nowMs < state.quietUntilMs) return true;
  return state.leader !== undefined && state.nowMs - state.leaderHeardMs < state.options.electionTimeoutMs;
}

function mayStand(state: RaftState): boolean {
  resetElectionDeadline(state);
  return state.role !== 'leader' && state.mayStand;
}

function ask(state: RaftState, { preVote, transfer }: Pick<VoteRequest, 'preVote' | 'transfer'>): void {
  state.votes.clear();
  // Nothing of a pre-vote need be durable.
  if (preVote) state.votes.set(state.id, true);
  const { log } = state;
  const term = preVote ? state.term + 1 : state.term;
  for (const to of votersOf(state)) {
    if (to === state.id) continue;
    const { lastIndex, lastTerm } = log;
    const request: VoteRequest = { type: 'vote', from: state.id, to, term, preVote, transfer, lastIndex, lastTerm };
    // After the term is durable: a restart in an older term could win this one again, with another log.
    if (preVote) state.sendNow(request);
    else state.sendWhenDurable(request);
  }
}

function votersOf({ log }: RaftState): readonly NodeId[] {
  const { voters, outgoing } = log.membership;
  return [...new Set([...voters, ...outgoing])].sort();
}

function decide(state: RaftState): void {
  const result = countVotes(state.log.membership, state.votes);
  if (result === 'won') {
    if (state.role === 'pre-candidate') startElection(state, false);
    else becomeLeader(state);
  } else if (result === 'lost') {
    becomeFollower(state, state.term, undefined);
  }
}

function becomeLeader(state: RaftState): void {
  const { log, nowMs } = state;
  state.role = 'leader';
  state.leader = state.id;
  state.votes.clear();
  const progress = new Map<NodeId, Progress>();
  for (const id of membersOf(log.membership)) progress.set(id, new Progress(log.lastIndex + 1, nowMs));
  state.leadership = {
    progress,
    firstIndex: log.lastIndex + 1,
    leaseUntilMs: -Infinity,
    leaseForfeited: false,
    round: 0,
    rounds: [],
    reads: [],
    transfer: undefined,
    uncommittedBytes: 0,
    nextHeartbeatMs: nowMs,
  };
  renewLease(state);
  appendNoop(state);
  broadcastHeartbeat(state);
}
