import { CommandFailure, defineApiCommand, failing } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { serverFlags, tenancyFlags } from '../../framework/http-flags.ts';
import { print } from '../../framework/io.ts';

export const command = defineApiCommand({
  synopsis: 'Check whether a connection between two services is allowed',
  usage: `
Usage: {program} intention check [options] SRC DST

  Prints Allowed and ends with 0, or Denied and ends with 1; with 2 when it
  cannot tell.

      $ {program} intention check web db
`,
  flags: { ...serverFlags, ...tenancyFlags },
  usageExitCode: EXIT.other,
  run: async ({ args, io, client }) => {
    const [source, destination] = args;
    if (source === undefined || destination === undefined || args.length !== 2) {
      throw new CommandFailure('Error: command requires exactly two arguments: src and dst', EXIT.other);
    }
    const allowed = await failing('Error checking the connection', () => client().connect.checkIntention(source, destination), EXIT.other);
    print(io, allowed ? 'Allowed' : 'Denied');
    return allowed ? EXIT.ok : EXIT.failure;
  },
});
