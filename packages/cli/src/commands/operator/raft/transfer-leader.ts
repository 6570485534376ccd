import { CommandFailure, defineApiCommand, messageOf } from '../../../framework/command.ts';
import { EXIT } from '../../../framework/exit-codes.ts';
import { stringFlag } from '../../../framework/flag-types.ts';
import { serverFlags } from '../../../framework/http-flags.ts';
import { print } from '../../../framework/io.ts';

/** Consul's spelling, which scripts may look for. */
const FAILURE = 'Error transfering leadership: Failed to transfer leadership';

export const command = defineApiCommand({
  synopsis: 'Transfer Raft leadership to another server',
  usage: `
Usage: {program} operator raft transfer-leader [options]

  Makes another server lead: the one with -id, or any.
`,
  flags: { ...serverFlags, id: stringFlag('Id of the server that is to lead.', '', 'id') },
  run: async ({ flags, io, client }) => {
    const { operator } = client();
    let isDone: boolean;
    try {
      isDone = await operator.transferLeader(flags.id);
    } catch (error) {
      throw new CommandFailure(`${FAILURE} ${messageOf(error)}`);
    }
    if (!isDone) throw new CommandFailure(FAILURE);
    print(io, 'Success');
    return EXIT.ok;
  },
});
