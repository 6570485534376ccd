import type { RaftConfiguration } from '@lictor/protocol';
import type { ServerMember } from '../cluster/directory.ts';
import type { Observation, ServerSample, TrackedServer } from './types.ts';

/** Three probes without an answer (consul-facts T018: one every 2 s). */
export const SAMPLE_MAX_AGE_MS = 6000;

/** Follows every server that Raft has, and those that it is to get. Servers that are gone from both are forgotten. */
export function track(previous: readonly TrackedServer[], observation: Observation): readonly TrackedServer[] {
  const before = new Map(previous.map((server) => [server.id, server]));
  const members = new Map(observation.members.map((member) => [member.id, member]));
  const raft = new Map(observation.raft.map((server) => [server.ID, server]));
  const coming = observation.members.filter(({ id, status }) => status === 'alive' && !raft.has(id)).map(({ id }) => id);
  return [...raft.keys(), ...coming].sort().map((id) => trackOne(id, before.get(id), members.get(id), raft.get(id), observation));
}

function trackOne(
  id: string,
  before: TrackedServer | undefined,
  member: ServerMember | undefined,
  inRaft: RaftConfiguration['Servers'][number] | undefined,
  observation: Observation,
): TrackedServer {
  const { nowMs, wallMs } = observation;
  const name = member?.name ?? inRaft?.Node ?? id;
  const role = inRaft === undefined ? 'none' : inRaft.Leader ? 'leader' : inRaft.Voter ? 'voter' : 'non-voter';
  const nodeStatus = member?.status ?? 'unknown';
  const sample = freshSample(observation.samples.get(id), nowMs);
  const isForeign = member !== undefined && isOfAnotherCluster(member, observation);
  // Who leads is heard by a majority: nothing that the directory says can make that untrue.
  const isHealthy = role === 'leader' || (nodeStatus === 'alive' && !isForeign && isSound(sample, observation));
  const isSteady = before !== undefined && before.isHealthy === isHealthy;
  return {
    id,
    name,
    address: member?.rpcAddress ?? inRaft?.Address ?? '',
    version: member?.version ?? '',
    nodeStatus,
    role,
    stats: sample?.stats,
    isHealthy,
    stableSinceMs: isSteady ? before.stableSinceMs : nowMs,
    stableSinceWallMs: isSteady ? before.stableSinceWallMs : wallMs,
    unknownSinceMs: member === undefined ? (before?.unknownSinceMs ?? nowMs) : undefined,
    isForeign,
    meta: observation.metaOf(name),
  };
}

/** One without a cluster may join any. */
export function isOfAnotherCluster({ clusterId }: ServerMember, { members, selfId }: Observation): boolean {
  const own = members.find(({ id }) => id === selfId)?.clusterId ?? '';
  return clusterId !== '' && clusterId !== own;
}

function freshSample(sample: ServerSample | undefined, nowMs: number): ServerSample | undefined {
  return sample !== undefined && nowMs - sample.takenMs <= SAMPLE_MAX_AGE_MS ? sample : undefined;
}

/**
 * Consul's three conditions (consul-facts O005). The log is compared with the leader's of the same moment: a busy one runs on. Contact is
 * judged by no less than two heartbeats: with the default raft_multiplier of 5 they are further apart than the default threshold.
 */
function isSound(sample: ServerSample | undefined, { config, heartbeatMs }: Observation): boolean {
  if (sample?.leaderEnd === undefined) return false;
  const { stats, leaderEnd } = sample;
  const thresholdMs = Math.max(config.LastContactThreshold, 2 * heartbeatMs);
  const hasContact = stats.lastContactMs !== undefined && stats.lastContactMs <= thresholdMs;
  return hasContact && stats.lastLogTerm === leaderEnd.term && stats.lastLogIndex + config.MaxTrailingLogs >= leaderEnd.index;
}
