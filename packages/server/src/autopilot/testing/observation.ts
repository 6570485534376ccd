import { type AutopilotFields, DEFAULT_AUTOPILOT, type RaftStats } from '@lictor/protocol';
import type { MemberStatus, ServerMember } from '../../cluster/directory.ts';
import { track } from '../track.ts';
import type { Decision, Observation, ServerSample, TrackedServer } from '../types.ts';

/** One server as a test describes it; what is left out is that of a healthy voter. */
export interface TestServer {
  /** Absent from Raft with `none`. */
  readonly role?: 'leader' | 'voter' | 'non-voter' | 'none';
  /** Null: the directory does not know it. */
  readonly status?: MemberStatus | null;
  readonly address?: string;
  /** Where Raft knows it, when that is elsewhere. */
  readonly raftAddress?: string;
  readonly clusterId?: string;
  /** Null: it does not answer. */
  readonly stats?: Partial<RaftStats> | null;
  /** When it answered. */
  readonly takenMs?: number;
}

export const CLUSTER = 'c1';
export const END = { index: 1000, term: 3 };

const STATS: RaftStats = {
  id: '',
  state: 'Follower',
  term: 3,
  lastLogIndex: 1000,
  lastLogTerm: 3,
  commitIndex: 1000,
  appliedIndex: 1000,
  lastSnapshotIndex: 0,
  lastSnapshotTerm: 0,
  lastContactMs: 10,
  numPeers: 2,
};

export function testStats(stats: Partial<RaftStats> = {}): RaftStats {
  return { ...STATS, ...stats };
}

/** Server `a` is this one. */
export function observe(servers: Readonly<Record<string, TestServer>>, nowMs = 0, config: Partial<AutopilotFields> = {}): Observation {
  const samples = new Map<string, ServerSample>();
  for (const [id, { stats, takenMs = nowMs, status }] of Object.entries(servers)) {
    const isSilent = stats === null || (stats === undefined && status !== undefined && status !== 'alive');
    if (!isSilent) samples.set(id, { stats: testStats(stats), takenMs, leaderEnd: END });
  }
  return {
    nowMs,
    wallMs: 1_000_000 + nowMs,
    selfId: 'a',
    config: { ...DEFAULT_AUTOPILOT, ...config },
    heartbeatMs: 35,
    raft: Object.entries(servers)
      .filter(([, { role }]) => role !== 'none')
      .map(([id, { role = 'voter', raftAddress, address = `${id}:1` }]) => ({
        ID: id,
        Node: `node-${id}`,
        Address: raftAddress ?? address,
        Leader: role === 'leader',
        ProtocolVersion: '3',
        Voter: role !== 'non-voter',
        LastIndex: 0,
      })),
    members: Object.entries(servers).flatMap(([id, server]) => (server.status === null ? [] : [toMember(id, server)])),
    samples,
    metaOf: () => null,
  };
}

function toMember(id: string, { address = `${id}:1`, clusterId = CLUSTER, status }: TestServer): ServerMember {
  return {
    id,
    name: `node-${id}`,
    datacenter: 'dc1',
    rpcAddress: address,
    bootstrapExpect: 0,
    isBootstrap: false,
    version: '1.21.0',
    grpcPort: 0,
    grpcTlsPort: 0,
    clusterId,
    status: status ?? 'alive',
  };
}

/** Observations one after the other, and what there is to decide on at the last of them. */
export function decisionAfter(observations: readonly Observation[], more: Partial<Decision> = {}): Decision {
  let tracked: readonly TrackedServer[] = [];
  for (const observation of observations) tracked = track(tracked, observation);
  const last = observations.at(-1);
  if (last === undefined) throw new Error('nothing observed');
  return { ...last, tracked, watchingSinceMs: -1_000_000, removedAtMs: new Map(), ...more };
}
