import { broadcastHeartbeat } from './heartbeat.ts';
import { quorumValue } from './quorum.ts';
import { type Leadership, mustLead, type RaftState } from './state.ts';

/**
 * ReadIndex (thesis 6.4): the read sees everything committed before it came in, once a round of heartbeats that began after it has been
 * answered by a quorum. All reads that wait for a round share it.
 */
export function startRead(state: RaftState, id: number): void {
  const leadership = state.leadership;
  if (leadership === undefined) {
    state.answerRead({ id, index: undefined });
    return;
  }
  const inFlight = confirmedRound(state) < leadership.round;
  const index = isTermCommitted(state) ? state.log.committed : 0;
  leadership.reads.push({ id, index, round: leadership.round + 1 });
  if (!inFlight) broadcastHeartbeat(state);
  answerReads(state);
}

/**
 * May this leader answer reads by itself now? No other can have been elected before the lease ends (thesis 6.4.1), but for an heir, whom
 * no lease stands against.
 */
export function hasLease(state: RaftState): boolean {
  const leadership = state.leadership;
  if (leadership === undefined || leadership.transfer !== undefined || leadership.leaseForfeited) return false;
  return state.nowMs < leadership.leaseUntilMs && isTermCommitted(state);
}

/** Begins when the last heartbeat was sent that a quorum has answered. After each answer, and each change of the membership. */
export function renewLease(state: RaftState): void {
  const leadership = mustLead(state);
  const since = quorumValue(state.log.membership, (id) =>
    id === state.id ? Infinity : (leadership.progress.get(id)?.roundSentMs ?? -Infinity),
  );
  leadership.leaseUntilMs = since + state.options.leaseMs;
}

/** After each answered heartbeat and each commit. */
export function answerReads(state: RaftState): void {
  const leadership = state.leadership;
  if (leadership === undefined || leadership.reads.length === 0) return;
  answerConfirmed(state, leadership);
  const needNextRound = leadership.reads.some((read) => read.round > leadership.round);
  // Also before anything of the term is committed: what a read waits for then, is that alone.
  if (!needNextRound || confirmedRound(state) < leadership.round) return;
  broadcastHeartbeat(state);
  // Who has become the sole voter meanwhile gets no answer to wait for.
  answerConfirmed(state, leadership);
}

function answerConfirmed(state: RaftState, leadership: Leadership): void {
  if (!isTermCommitted(state)) return;
  const confirmed = confirmedRound(state);
  leadership.reads = leadership.reads.filter((read) => {
    // Came in before anything was known to be committed: what is now, is certainly enough.
    if (read.index === 0) read.index = state.log.committed;
    if (read.round > confirmed) return true;
    state.answerRead({ id: read.id, index: read.index });
    return false;
  });
}

/** This server leads no more: the reads have to be asked elsewhere. */
export function failReads(state: RaftState): void {
  for (const { id } of state.leadership?.reads ?? []) state.answerRead({ id, index: undefined });
  if (state.leadership !== undefined) state.leadership.reads = [];
}

function confirmedRound(state: RaftState): number {
  const leadership = state.leadership;
  if (leadership === undefined) return 0;
  return quorumValue(state.log.membership, (id) => (id === state.id ? leadership.round : (leadership.progress.get(id)?.round ?? 0)));
}

function isTermCommitted(state: RaftState): boolean {
  return state.log.committed >= (state.leadership?.firstIndex ?? Infinity);
}
