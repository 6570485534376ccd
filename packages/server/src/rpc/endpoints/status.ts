import type { Consensus } from '../../consensus/port.ts';
import type { LiveEndpoint, LiveEndpoints } from '../types.ts';

/** Who leads, who is there, and how this server stands: answered by any server, to anybody, with or without a leader. */
export function createStatusLive(consensus: Consensus) {
  const leader: LiveEndpoint<'Status.Leader'> = async () => ({ index: 1, value: consensus.leaderAddress });
  const peers: LiveEndpoint<'Status.Peers'> = async () => ({
    index: 1,
    value: consensus.configuration().Servers.map((server) => server.Address),
  });
  const raftStats: LiveEndpoint<'Status.RaftStats'> = async () => ({ index: 1, value: consensus.stats() });
  return { 'Status.Leader': leader, 'Status.Peers': peers, 'Status.RaftStats': raftStats } satisfies LiveEndpoints;
}
