import { arch, availableParallelism, platform } from 'node:os';
import type { Agent, AgentStats } from '@lictor/client-agent';
import { formatDuration, type RaftStats } from '@lictor/protocol';
import type { Server } from '@lictor/server';

/** Go's names for what Node calls otherwise. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

/** The groups of `info` that only the whole process can fill. */
export function collectStats(agent: Agent, server: Server): AgentStats {
  const config = agent.config();
  const { consensus } = server;
  const raft = consensus.stats();
  return {
    agent: agent.stats(),
    consul: {
      acl: config.aclEnabled ? 'enabled' : 'disabled',
      bootstrap: String(config.bootstrap),
      known_datacenters: '1',
      leader: String(consensus.isLeader),
      leader_addr: consensus.leaderAddress,
      server: String(config.server),
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
    runtime: {
      arch: ARCHITECTURES[arch()] ?? arch(),
      cpu_count: String(availableParallelism()),
      max_procs: String(availableParallelism()),
      os: platform(),
      version: `node${process.version.slice(1)}`,
    },
    serf_lan: gossipStats(agent.membership.members(false).length),
    serf_wan: gossipStats(agent.membership.members(true).length),
  };
}

/** As in Consul: 0 on the leader, `never`, or how long ago. */
function lastContact({ state, lastContactMs }: RaftStats): string {
  if (state === 'Leader') return '0';
  return lastContactMs === undefined ? 'never' : formatDuration(lastContactMs);
}

function gossipStats(members: number): Readonly<Record<string, string>> {
  return { encrypted: 'false', failed: '0', health_score: '0', left: '0', members: String(members) };
}
