import type { AutopilotServer, AutopilotState } from '@lictor/protocol';
import type { TrackedServer } from './types.ts';

/** As operators see it. */
export function toState(tracked: readonly TrackedServer[]): AutopilotState {
  const voters = tracked.filter(isVoter);
  const tolerance = Math.max(0, voters.filter(({ isHealthy }) => isHealthy).length - quorumOf(voters.length));
  const servers: Record<string, AutopilotServer> = Object.create(null) as Record<string, AutopilotServer>;
  for (const server of tracked) servers[server.id] = toServer(server);
  return {
    Healthy: tracked.length > 0 && tracked.every(({ isHealthy }) => isHealthy),
    FailureTolerance: tolerance,
    OptimisticFailureTolerance: tolerance,
    Servers: servers,
    Leader: tracked.find(({ role }) => role === 'leader')?.id ?? '',
    Voters: voters.map(({ id }) => id),
  };
}

export function isVoter({ role }: TrackedServer): boolean {
  return role === 'leader' || role === 'voter';
}

/** How many of so many voters have to agree. */
export function quorumOf(voters: number): number {
  return Math.floor(voters / 2) + 1;
}

function toServer(server: TrackedServer): AutopilotServer {
  return {
    ID: server.id,
    Name: server.name,
    Address: server.address,
    NodeStatus: server.nodeStatus,
    Version: server.version,
    LastContact: server.role === 'leader' ? 0 : (server.stats?.lastContactMs ?? -1),
    LastTerm: server.stats?.lastLogTerm ?? 0,
    LastIndex: server.stats?.lastLogIndex ?? 0,
    Healthy: server.isHealthy,
    StableSince: server.stableSinceWallMs,
    Status: server.role,
    Meta: server.meta,
  };
}
