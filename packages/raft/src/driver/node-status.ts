import type { Membership, NodeId, SnapshotMeta } from '../core/entry.ts';
import { isVoter, membersOf } from '../core/membership.ts';
import type { Raft } from '../core/raft.ts';
import type { NodeStatus } from './options.ts';

export function nodeStatus(
  raft: Raft,
  id: NodeId,
  applied: number,
  snapshot: Pick<SnapshotMeta, 'index' | 'term'>,
  nowMs: number,
): NodeStatus {
  const { role, term, leader, membership, committed, firstIndex, lastIndex, lastTerm, leaderHeardMs } = raft;
  const peers = [...raft.progress].filter(([peer]) => peer !== id);
  return {
    id,
    role,
    term,
    leader,
    leaderAddress: leader === undefined ? undefined : addressOf(membership, leader),
    membership,
    committed,
    applied,
    firstIndex,
    lastIndex,
    lastTerm,
    snapshotIndex: snapshot.index,
    snapshotTerm: snapshot.term,
    lastContactMs: role === 'leader' ? 0 : Number.isFinite(leaderHeardMs) ? nowMs - leaderHeardMs : undefined,
    peers: peers.map(([peer, { match, heardMs }]) => ({ id: peer, match, lastContactMs: nowMs - heardMs })),
  };
}

export function otherAddresses(membership: Membership, id: NodeId): ReadonlyMap<NodeId, string> {
  const addresses = new Map<NodeId, string>();
  for (const member of membersOf(membership)) {
    const address = addressOf(membership, member);
    if (member !== id && address !== undefined) addresses.set(member, address);
  }
  return addresses;
}

/** The voter that has most of the log. */
export function transferTarget(raft: Raft, id: NodeId): NodeId | undefined {
  let best: { readonly peer: NodeId; readonly match: number } | undefined;
  for (const [peer, { match }] of raft.progress) {
    if (peer !== id && isVoter(raft.membership, peer) && match > (best?.match ?? -1)) best = { peer, match };
  }
  return best?.peer;
}

function addressOf({ addresses }: Membership, id: NodeId): string | undefined {
  return Object.hasOwn(addresses, id) ? addresses[id] : undefined;
}
