import type { ServerMember } from '../cluster/directory.ts';
import { removals } from './removals.ts';
import { isOfAnotherCluster } from './track.ts';
import type { Change, Decision } from './types.ts';

/** A server that an operator took out although it runs comes back after this time: when Consul's leader looks at all members again. */
export const REMOVED_HOLD_MS = 60_000;

/**
 * What the leader has to change in Raft's membership, and in which order.
 *
 * 1. Servers go before others come: an address belongs to one server at a time.
 * 2. New servers come without a vote, and get it once they have been healthy for a while.
 */
export function decideChanges(decision: Decision): readonly Change[] {
  const gone = removals(decision);
  const goneIds = new Set(gone.map(({ id }) => id));
  return [...gone, ...moves(decision, goneIds), ...additions(decision, goneIds), ...promotions(decision)];
}

/** A server that has come back elsewhere. */
function moves({ raft, members }: Decision, gone: ReadonlySet<string>): readonly Change[] {
  return raft.flatMap((server): Change[] => {
    const member = members.find(({ id }) => id === server.ID);
    const hasMoved = member?.status === 'alive' && member.rpcAddress !== server.Address && !gone.has(server.ID);
    if (!hasMoved) return [];
    return [{ kind: 'move', id: server.ID, name: member.name, address: member.rpcAddress, isVoter: server.Voter }];
  });
}

function additions(decision: Decision, gone: ReadonlySet<string>): readonly Change[] {
  const { members, raft } = decision;
  const isWanted = (member: ServerMember): boolean => {
    if (member.status !== 'alive' || raft.some(({ ID }) => ID === member.id)) return false;
    // One of another cluster has a log of its own: it must be emptied by a person.
    if (isOfAnotherCluster(member, decision)) return false;
    return !raft.some(({ ID, Address }) => Address === member.rpcAddress && !gone.has(ID)) && !isHeld(member.id, decision);
  };
  return members.filter(isWanted).map(({ id, name, rpcAddress }) => ({ kind: 'add', id, name, address: rpcAddress }));
}

function isHeld(id: string, { removedAtMs, nowMs }: Decision): boolean {
  const atMs = removedAtMs.get(id);
  return atMs !== undefined && nowMs - atMs < REMOVED_HOLD_MS;
}

function promotions({ tracked, config, nowMs, watchingSinceMs }: Decision): readonly Change[] {
  const stabilizationMs = nowMs - watchingSinceMs > config.ServerStabilizationTime * 1.1 ? config.ServerStabilizationTime : 0;
  return tracked
    .filter(({ role, isHealthy, stableSinceMs }) => role === 'non-voter' && isHealthy && nowMs - stableSinceMs >= stabilizationMs)
    .map(({ id, name, address }) => ({ kind: 'promote', id, name, address }));
}
