import { isVoter } from './state.ts';
import type { Change, Decision, RemovalReason, TrackedServer } from './types.ts';

/** How long Raft may have a server that nobody knows: the directory begins empty, and fills as servers say hello. */
export const UNKNOWN_GRACE_MS = 60_000;

type Removal = Extract<Change, { kind: 'remove' }>;
interface Candidate {
  readonly server: TrackedServer;
  readonly reason: RemovalReason;
}

/**
 * Who has to go.
 *
 * 1. Who has left goes at once: it has said so itself, or an operator has.
 * 2. Of the dead, fewer than half of the voters go at a time, and never so many that fewer than `MinQuorum` are left: were they only cut
 *    off, they could not elect a leader of their own (raft-autopilot's rule). One whose successor waits at its address goes whatever
 *    `MinQuorum` says.
 * 3. Who answers is not dead, whatever the directory says; but one that answers as a member of another cluster is as good as dead.
 */
export function removals(decision: Decision): readonly Removal[] {
  const { tracked, config, selfId } = decision;
  const others = tracked.filter(({ id, role }) => role !== 'none' && id !== selfId);
  const left = others.filter(({ nodeStatus }) => nodeStatus === 'left').map((server) => ({ server, reason: 'left' as const }));
  const voters = tracked.filter(isVoter).length - left.filter(({ server }) => isVoter(server)).length;
  const dead = others.flatMap((server): Candidate[] => {
    const reason = whyDead(server, decision);
    return reason === undefined || (reason !== 'replaced' && !config.CleanupDeadServers) ? [] : [{ server, reason }];
  });
  const budget = { removable: Math.floor((voters - 1) / 2), voters };
  // Those without a vote first: they cost nothing.
  const inOrder = [...dead.filter(({ server }) => !isVoter(server)), ...dead.filter(({ server }) => isVoter(server))];
  return [...left, ...inOrder.filter((candidate) => fits(candidate, budget, config.MinQuorum))].map(toRemoval);
}

function whyDead(server: TrackedServer, { nowMs, members }: Decision): RemovalReason | undefined {
  if (server.isForeign && server.nodeStatus === 'alive') return 'foreign';
  if (server.stats !== undefined || server.nodeStatus === 'alive' || server.nodeStatus === 'left') return undefined;
  const isReplaced = members.some(({ id, status, rpcAddress }) => status === 'alive' && id !== server.id && rpcAddress === server.address);
  if (isReplaced) return 'replaced';
  if (server.nodeStatus === 'failed') return 'failed';
  const isLongUnknown = server.unknownSinceMs !== undefined && nowMs - server.unknownSinceMs >= UNKNOWN_GRACE_MS;
  return isLongUnknown ? 'unknown' : undefined;
}

/** Takes from the budget what fits. */
function fits({ server, reason }: Candidate, budget: { removable: number; voters: number }, minQuorum: number): boolean {
  if (!isVoter(server)) return true;
  // Its successor cannot come before it has gone.
  const least = reason === 'replaced' ? 0 : minQuorum;
  if (budget.removable < 1 || budget.voters - 1 < least) return false;
  budget.removable--;
  budget.voters--;
  return true;
}

function toRemoval({ server: { id, name }, reason }: Candidate): Removal {
  return { kind: 'remove', id, name, reason };
}
