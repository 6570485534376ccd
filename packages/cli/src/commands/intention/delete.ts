import { CommandFailure, defineApiCommand, failing } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { serverFlags, tenancyFlags } from '../../framework/http-flags.ts';
import { print } from '../../framework/io.ts';

export const command = defineApiCommand({
  synopsis: 'Delete an intention',
  usage: `
Usage: {program} intention delete [options] SRC DST
Usage: {program} intention delete [options] ID

  Deletes the intention between two services, or the one with this id.

      $ {program} intention delete web db
`,
  flags: { ...serverFlags, ...tenancyFlags },
  run: async ({ args, io, client }) => {
    const [first, second] = args;
    const { connect } = client();
    if (first === undefined || args.length > 2) throw new CommandFailure('command requires exactly 1 or 2 arguments');
    await failing('Error deleting the intention', () =>
      second === undefined ? connect.deleteIntention(first) : connect.deleteIntentionExact(first, second),
    );
    print(io, 'Intention deleted.');
    return EXIT.ok;
  },
});
