import { arch, availableParallelism, platform } from 'node:os';
import type { Agent, AgentStats, RuntimeConfig } from '@lictor/client-agent';
import { formatDuration, type RaftStats } from '@lictor/protocol';
import type { Server } from '@lictor/server';

/** Go's names for what Node calls otherwise. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

/** The groups of `info` that only the whole process can fill. */
export function collectStats(agent: Agent, role: AgentStats): AgentStats {
  return {
    agent: agent.stats(),
    ...role,
    runtime: {
      arch: ARCHITECTURES[arch()] ?? arch(),
      cpu_count: String(availableParallelism()),
      max_procs: String(availableParallelism()),
      os: platform(),
      version: `node${process.version.slice(1)}`,
    },
    serf_lan: gossipStats(agent, false),
    ...(agent.config().server && { serf_wan: gossipStats(agent, true) }),
  };
}

export function serverStats(config: RuntimeConfig, { consensus }: Server, knownDatacenters: number): AgentStats {
  const raft = consensus.stats();
  return {
    consul: {
      ...commonStats(config),
      bootstrap: String(config.bootstrap),
      known_datacenters: String(knownDatacenters),
      leader: String(consensus.isLeader),
      leader_addr: consensus.leaderAddress,
    },
    raft: {
      applied_index: String(raft.appliedIndex),
      commit_index: String(raft.commitIndex),
      fsm_pending: '0',
      last_contact: lastContact(raft),
      last_log_index: String(raft.lastLogIndex),
      last_log_term: String(raft.lastLogTerm),
      last_snapshot_index: String(raft.lastSnapshotIndex),
      last_snapshot_term: String(raft.lastSnapshotTerm),
      num_peers: String(raft.numPeers),
      protocol_version: '3',
      protocol_version_max: '3',
      protocol_version_min: '0',
      state: raft.state,
      term: String(raft.term),
    },
  };
}

export function clientStats(config: RuntimeConfig, knownServers: number): AgentStats {
  return { consul: { ...commonStats(config), known_servers: String(knownServers) } };
}

function commonStats(config: RuntimeConfig): Readonly<Record<string, string>> {
  return { acl: config.aclEnabled ? 'enabled' : 'disabled', server: String(config.server) };
}

/** As in Consul: 0 on the leader, `never`, or how long ago. */
function lastContact({ state, lastContactMs }: RaftStats): string {
  if (state === 'Leader') return '0';
  return lastContactMs === undefined ? 'never' : formatDuration(lastContactMs);
}

function gossipStats(agent: Agent, wan: boolean): Readonly<Record<string, string>> {
  const { encrypted, member_queue: _queue, ...counters } = agent.membership.stats(wan);
  const texts = Object.entries(counters).map(([name, value]) => [name, String(value)] as const);
  return Object.fromEntries(
    [...texts, ['encrypted', String(encrypted === 1)] as const].toSorted(([one], [other]) => (one < other ? -1 : 1)),
  );
}
