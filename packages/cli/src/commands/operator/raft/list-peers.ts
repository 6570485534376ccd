import type { RaftServer } from '@lictor/sdk';
import { defineApiCommand, failing } from '../../../framework/command.ts';
import { EXIT } from '../../../framework/exit-codes.ts';
import { consistencyOf, serverFlags } from '../../../framework/http-flags.ts';
import { print } from '../../../framework/io.ts';
import { columnize } from '../../../text/columns.ts';

const HEADER = ['Node', 'ID', 'Address', 'State', 'Voter', 'RaftProtocol', 'Commit Index', 'Trails Leader By'];

export const command = defineApiCommand({
  synopsis: 'Display the servers of the Raft group',
  usage: `
Usage: {program} operator raft list-peers [options]

  Lists the servers that keep the state, and how far each is behind the leader.
`,
  flags: serverFlags,
  run: async ({ flags, io, client }) => {
    const { Servers } = await failing('Error getting peers: Failed to retrieve raft configuration', () =>
      client().operator.raftConfiguration(consistencyOf(flags)),
    );
    const leaderIndex = Servers.find(({ Leader }) => Leader)?.LastIndex ?? 0;
    print(io, columnize([HEADER, ...Servers.map((server) => toRow(server, leaderIndex))]));
    return EXIT.ok;
  },
});

function toRow(server: RaftServer, leaderIndex: number): string[] {
  const { Node, ID, Address, Leader, Voter, ProtocolVersion, LastIndex } = server;
  const behind = leaderIndex - LastIndex;
  const trails = Leader ? '-' : `${behind} ${behind === 1 ? 'commit' : 'commits'}`;
  return [Node, ID, Address, Leader ? 'leader' : 'follower', String(Voter), ProtocolVersion || '<=1', String(LastIndex), trails];
}
