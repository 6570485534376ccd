import { type Entry, entryBytes, type NodeId } from './entry.ts';
import { encodeMembership, isJoint, isVoter, leaveJoint, membersOf } from './membership.ts';
import type { AppendReply, AppendRequest, Heartbeat, HeartbeatReply, SnapshotRequest } from './message.ts';
import { Progress } from './progress.ts';
import { quorumValue } from './quorum.ts';
import { answerReads, renewLease } from './reads.ts';
import { type Leadership, mustLead, type RaftState } from './state.ts';

const NO_DATA = new Uint8Array();

export function appendNoop(state: RaftState): void {
  appendOwn(state, [{ kind: 'noop', data: NO_DATA }]);
}

/** The leader's own entries, and at once to everybody. Returns the first one's index. */
export function appendOwn(state: RaftState, contents: readonly Pick<Entry, 'kind' | 'data'>[]): number {
  const leadership = mustLead(state);
  const first = state.log.lastIndex + 1;
  const entries = contents.map(({ kind, data }, position) => ({ index: first + position, term: state.term, kind, data }));
  state.log.append(entries);
  for (const entry of entries) leadership.uncommittedBytes += entryBytes(entry);
  if (entries.some(({ kind }) => kind === 'membership')) membershipChanged(state);
  broadcastAppend(state);
  return first;
}

export function broadcastAppend(state: RaftState): void {
  for (const id of mustLead(state).progress.keys()) if (id !== state.id) sendAppend(state, id);
}

/** As many appends as the follower's window takes; when it is behind the log, a snapshot. */
export function sendAppend(state: RaftState, to: NodeId, evenEmpty = true): void {
  const { log, options } = state;
  const progress = mustLead(state).progress.get(to);
  if (progress === undefined) return;
  let isFirst = true;
  while (!progress.isPaused(options.maxInflight, options.maxInflightBytes)) {
    const prevIndex = progress.next - 1;
    const prevTerm = log.termOf(prevIndex);
    if (prevTerm === undefined || progress.next < log.firstIndex) {
      sendSnapshot(state, to, progress);
      return;
    }
    const entries = log.slice(progress.next, log.lastIndex, options.maxAppendBytes);
    if (entries.length === 0 && !(isFirst && evenEmpty)) return;
    const append: AppendRequest = {
      type: 'append',
      from: state.id,
      to,
      term: state.term,
      prevIndex,
      prevTerm,
      entries,
      commit: log.committed,
    };
    state.sendNow(append);
    progress.toldCommit = log.committed;
    const bytes = entries.reduce((sum, entry) => sum + entryBytes(entry), 0);
    progress.sent(prevIndex + entries.length, bytes);
    if (entries.length === 0) return;
    isFirst = false;
  }
}

function sendSnapshot(state: RaftState, to: NodeId, progress: Progress): void {
  const { snapshot } = state.log;
  progress.becomeSnapshot(snapshot.index);
  const request: SnapshotRequest = { type: 'snapshot', from: state.id, to, term: state.term, snapshot };
  state.sendNow(request);
}

// Followers.

export function handleAppend(state: RaftState, request: AppendRequest): void {
  const { log } = state;
  if (request.prevIndex < log.committed) {
    // Everything through `committed` is known to match; what lies behind it may be news.
    const known = request.entries.filter(({ index }) => index > log.committed);
    const first = known[0];
    if (first === undefined || first.index !== log.committed + 1) {
      replyMatched(state, request.from, log.committed);
      return;
    }
    accept(state, request, known);
    return;
  }
  if (log.termOf(request.prevIndex) === request.prevTerm) {
    accept(state, request, request.entries);
    return;
  }
  const hint = log.findConflict(request.prevIndex, request.prevTerm);
  state.sendWhenDurable({
    type: 'append-reply',
    from: state.id,
    to: request.from,
    term: state.term,
    index: request.prevIndex,
    rejected: true,
    hintIndex: hint.index,
    hintTerm: hint.term,
  });
}

function accept(state: RaftState, request: AppendRequest, entries: readonly Entry[]): void {
  state.log.merge(entries);
  const matched = request.prevIndex + request.entries.length;
  state.log.commitTo(Math.min(request.commit, matched));
  replyMatched(state, request.from, matched);
}

export function handleHeartbeat(state: RaftState, request: Heartbeat): void {
  // Never more than what this leader knows to match here.
  state.log.commitTo(Math.min(request.commit, state.log.lastIndex));
  // Says who leads now, and promises nothing that a crash could break: see `quietUntilMs`.
  const reply: HeartbeatReply = { type: 'heartbeat-reply', from: state.id, to: request.from, term: state.term, round: request.round };
  state.sendNow(reply);
}

export function handleSnapshot(state: RaftState, request: SnapshotRequest): void {
  const { log } = state;
  const { snapshot } = request;
  if (snapshot.index > log.committed && log.termOf(snapshot.index) === snapshot.term) log.commitTo(snapshot.index);
  else if (snapshot.index > log.committed) state.restoreFrom(snapshot);
  replyMatched(state, request.from, log.committed);
}

function replyMatched(state: RaftState, to: NodeId, index: number): void {
  const reply: AppendReply = {
    type: 'append-reply',
    from: state.id,
    to,
    term: state.term,
    index,
    rejected: false,
    hintIndex: 0,
    hintTerm: 0,
  };
  state.sendWhenDurable(reply);
}

// The leader's answers.

export function handleAppendReply(state: RaftState, reply: AppendReply): void {
  const progress = mustLead(state).progress.get(reply.from);
  if (progress === undefined) return;
  if (reply.rejected) {
    const { index } = reply.hintTerm > 0 ? state.log.findConflict(reply.hintIndex, reply.hintTerm) : { index: reply.hintIndex };
    if (progress.rejected(reply.index, index)) sendAppend(state, reply.from);
    return;
  }
  if (reply.index > state.log.lastIndex) return;
  const isNews = progress.acknowledged(reply.index);
  if (progress.state === 'probe') progress.becomeReplicate();
  else if (progress.state === 'snapshot' && progress.match >= Math.max(progress.snapshotIndex, state.log.firstIndex - 1))
    progress.becomeReplicate();
  if (isNews && maybeCommit(state)) broadcastAppend(state);
  // It was not told of a commit while appends to it waited for this answer.
  else sendAppend(state, reply.from, progress.toldCommit < state.log.committed);
  maybeTransfer(state, reply.from);
}

export function handleHeartbeatReply(state: RaftState, reply: HeartbeatReply): void {
  const leadership = mustLead(state);
  const progress = leadership.progress.get(reply.from);
  if (progress === undefined || reply.round > leadership.round) return;
  noteRound(leadership, progress, reply.round);
  renewLease(state);
  progress.wayIsOpen(state.options.maxInflight);
  if (progress.match < state.log.lastIndex || progress.state === 'probe') sendAppend(state, reply.from);
  answerReads(state);
}

function noteRound({ rounds }: Leadership, progress: Progress, round: number): void {
  if (round <= progress.round) return;
  progress.round = round;
  // A round that is forgotten was sent before any that is not.
  progress.roundSentMs = rounds.findLast((sent) => sent.round === round)?.sentMs ?? progress.roundSentMs;
}

/** The leader's own log counts as far as it is durable. */
export function ownEntriesDurable(state: RaftState): void {
  const progress = state.leadership?.progress.get(state.id);
  if (progress === undefined) return;
  progress.match = Math.max(progress.match, state.log.stable);
  progress.next = progress.match + 1;
  if (maybeCommit(state)) broadcastAppend(state);
}

/** Only entries of the own term are committed by counting (Raft 5.4.2). Returns whether that is news. */
export function maybeCommit(state: RaftState): boolean {
  const { log } = state;
  const leadership = mustLead(state);
  const index = quorumValue(log.membership, (id) => leadership.progress.get(id)?.match ?? 0);
  if (index <= log.committed || log.termOf(index) !== state.term) return false;
  for (const entry of log.slice(log.committed + 1, index)) leadership.uncommittedBytes -= entryBytes(entry);
  leadership.uncommittedBytes = Math.max(0, leadership.uncommittedBytes);
  log.commitTo(index);
  answerReads(state);
  membershipCommitted(state);
  return true;
}

/** Those who are new get a progress, those who are gone lose it. */
export function membershipChanged(state: RaftState): void {
  const { log } = state;
  const { progress } = mustLead(state);
  const members = new Set(membersOf(log.membership));
  for (const id of members) if (!progress.has(id)) progress.set(id, new Progress(log.lastIndex + 1, state.nowMs));
  for (const id of progress.keys()) {
    if (members.has(id)) continue;
    // A last word, so that it may learn that it is out.
    if (id !== state.id) sendAppend(state, id, false);
    progress.delete(id);
  }
  renewLease(state);
}

/** The second phase of a joint change follows by itself; a leader that is out steps down once that is committed (thesis 4.2.2). */
function membershipCommitted(state: RaftState): void {
  const { log } = state;
  if (log.membershipIndex > log.committed) return;
  if (isJoint(log.membership)) appendOwn(state, [{ kind: 'membership', data: encodeMembership(leaveJoint(log.membership)) }]);
  else if (!isVoter(log.membership, state.id)) state.mustStepDown = true;
}

export function maybeTransfer(state: RaftState, to: NodeId): void {
  const leadership = mustLead(state);
  if (leadership.transfer?.to !== to || leadership.progress.get(to)?.match !== state.log.lastIndex) return;
  leadership.transfer.called = true;
  state.sendNow({ type: 'timeout-now', from: state.id, to, term: state.term });
}
