import type { RaftConfiguration, RaftStats } from '@lictor/protocol';
import { isVoter, membersOf, type NodeStatus } from '@lictor/raft';

const NO_STATS: Omit<RaftStats, 'id'> = {
  state: 'Follower',
  term: 0,
  lastLogIndex: 0,
  lastLogTerm: 0,
  commitIndex: 0,
  appliedIndex: 0,
  lastSnapshotIndex: 0,
  lastSnapshotTerm: 0,
  lastContactMs: undefined,
  numPeers: 0,
};

/** The membership as the API shows it; empty without a log. */
export function configurationOf(status: NodeStatus | undefined, nameOf: (id: string) => string): RaftConfiguration {
  if (status === undefined) return { Servers: [], Index: 0 };
  const { membership, leader, id: ownId } = status;
  const lastIndexes = new Map(status.peers.map((peer) => [peer.id, peer.match]));
  lastIndexes.set(ownId, status.lastIndex);
  const Servers = membersOf(membership).map((id) => ({
    ID: id,
    Node: nameOf(id),
    Address: membership.addresses[id] ?? '',
    Leader: id === leader,
    ProtocolVersion: '3',
    Voter: isVoter(membership, id),
    LastIndex: lastIndexes.get(id) ?? 0,
  }));
  return { Servers, Index: 0 };
}

/** How a server stands, as it tells others; `term` 0: it has no log. */
export function statsOf(nodeId: string, status: NodeStatus | undefined): RaftStats {
  if (status === undefined) return { id: nodeId, ...NO_STATS };
  const { role, term, lastIndex, lastTerm, committed, applied, snapshotIndex, snapshotTerm, lastContactMs, membership, id } = status;
  return {
    id,
    state: role === 'leader' ? 'Leader' : role === 'follower' ? 'Follower' : 'Candidate',
    term,
    lastLogIndex: lastIndex,
    lastLogTerm: lastTerm,
    commitIndex: committed,
    appliedIndex: applied,
    lastSnapshotIndex: snapshotIndex,
    lastSnapshotTerm: snapshotTerm,
    lastContactMs,
    numPeers: membersOf(membership).filter((member) => member !== id && isVoter(membership, member)).length,
  };
}
