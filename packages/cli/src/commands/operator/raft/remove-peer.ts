import { CommandFailure, defineApiCommand, failing } from '../../../framework/command.ts';
import { EXIT } from '../../../framework/exit-codes.ts';
import { stringFlag } from '../../../framework/flag-types.ts';
import { serverFlags } from '../../../framework/http-flags.ts';
import { print } from '../../../framework/io.ts';

export const command = defineApiCommand({
  synopsis: 'Remove a server from the Raft group',
  usage: `
Usage: {program} operator raft remove-peer [options]

  Takes a server that will not come back out of the Raft group. Prefer
  "force-leave" where it works: this command asks nobody.
`,
  flags: {
    ...serverFlags,
    address: stringFlag("The server's RPC address, ip:port.", '', 'address'),
    id: stringFlag("The server's id.", '', 'id'),
  },
  run: async ({ flags: { address, id }, io, client }) => {
    if (address === '' && id === '') throw new CommandFailure('Error removing peer: an address or id is required for the peer to remove');
    if (address !== '' && id !== '') throw new CommandFailure('Error removing peer: cannot give both an address and id');
    await failing('Error removing peer', () => client().operator.removeRaftPeer(address === '' ? { id } : { address }));
    print(io, address === '' ? `Removed peer with id ${JSON.stringify(id)}` : `Removed peer with address ${JSON.stringify(address)}`);
    return EXIT.ok;
  },
});
