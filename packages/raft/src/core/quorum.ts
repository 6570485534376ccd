import type { Membership, NodeId } from './entry.ts';

export type VoteResult = 'won' | 'lost' | 'pending';

/**
 * The highest value that a quorum has reached: of match indexes, what may be committed; of times, since when a quorum is in touch.
 * Joint memberships need both majorities. A membership without voters reaches nothing.
 */
export function quorumValue(membership: Membership, valueOf: (id: NodeId) => number): number {
  const value = majorityValue(membership.voters, valueOf);
  return membership.outgoing.length === 0 ? value : Math.min(value, majorityValue(membership.outgoing, valueOf));
}

/** `votes` has an answer for those who gave one. */
export function countVotes(membership: Membership, votes: ReadonlyMap<NodeId, boolean>): VoteResult {
  const result = countMajority(membership.voters, votes);
  if (membership.outgoing.length === 0) return result;
  const other = countMajority(membership.outgoing, votes);
  if (result === 'lost' || other === 'lost') return 'lost';
  return result === 'won' && other === 'won' ? 'won' : 'pending';
}

function majorityValue(ids: readonly NodeId[], valueOf: (id: NodeId) => number): number {
  if (ids.length === 0) return -Infinity;
  const values = ids.map(valueOf).sort((a, b) => b - a);
  return values[Math.floor(ids.length / 2)] ?? -Infinity;
}

function countMajority(ids: readonly NodeId[], votes: ReadonlyMap<NodeId, boolean>): VoteResult {
  const needed = Math.floor(ids.length / 2) + 1;
  const granted = ids.filter((id) => votes.get(id) === true).length;
  const missing = ids.filter((id) => !votes.has(id)).length;
  if (ids.length > 0 && granted >= needed) return 'won';
  return granted + missing >= needed ? 'pending' : 'lost';
}
