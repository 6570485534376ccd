import { arch, availableParallelism, platform } from 'node:os';
import type { AgentMember } from '../../../contracts/index.ts';
import type { AgentStats, ApiDeps } from '../../deps.ts';
import type { ApiRequest } from '../../request/api-request.ts';

/** The groups of `Stats` that can be told from here; what the process adds (`agent`, `raft`) wins over them. */
export async function ownStats(request: ApiRequest, deps: ApiDeps): Promise<AgentStats> {
  const { build } = deps;
  return {
    build: { prerelease: build.prerelease, revision: build.revision, version: build.version, version_metadata: '' },
    consul: await clusterStats(request, deps),
    runtime: {
      arch: arch(),
      cpu_count: String(availableParallelism()),
      goroutines: '0',
      max_procs: String(availableParallelism()),
      os: platform(),
      version: process.version,
    },
    serf_lan: poolStats(deps.membership.members(false)),
    serf_wan: poolStats(deps.membership.members(true)),
  };
}

async function clusterStats({ config }: ApiRequest, deps: ApiDeps): Promise<Readonly<Record<string, string>>> {
  const leader = await deps.server
    .call('Status.Leader', {}, { query: { consistency: 'stale' } })
    .then(({ value }) => value)
    .catch(() => '');
  const common = { acl: config.aclEnabled ? 'enabled' : 'disabled', known_datacenters: '1', server: String(config.server) };
  if (!config.server) return { ...common, known_servers: leader === '' ? '0' : '1' };
  return { ...common, bootstrap: String(config.bootstrap), leader: String(leader !== ''), leader_addr: leader };
}

/** Consul's keys; queues are empty as long as one member speaks to nobody. */
function poolStats(members: readonly AgentMember[]): Readonly<Record<string, string>> {
  const count = (status: AgentMember['Status']): string => String(members.filter((member) => member.Status === status).length);
  return {
    coordinate_resets: '0',
    encrypted: 'false',
    event_queue: '0',
    event_time: '1',
    failed: count(4),
    health_score: '0',
    intent_queue: '0',
    left: count(3),
    member_time: '1',
    members: String(members.length),
    query_queue: '0',
    query_time: '1',
  };
}
