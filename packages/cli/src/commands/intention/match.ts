import { CommandFailure, defineApiCommand, failing } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { booleanFlag } from '../../framework/flag-types.ts';
import { serverFlags, tenancyFlags } from '../../framework/http-flags.ts';
import { print } from '../../framework/io.ts';
import { formatIntention } from './names.ts';

export const command = defineApiCommand({
  synopsis: 'Show intentions that match a source or destination',
  usage: `
Usage: {program} intention match [options] SRC|DST

  Lists the intentions that concern a service, in the order in which they are
  tried. The argument is the destination unless -source.

      $ {program} intention match db
      $ {program} intention match -source web
`,
  flags: {
    ...serverFlags,
    ...tenancyFlags,
    source: booleanFlag('The argument is the source.'),
    destination: booleanFlag('The argument is the destination. The default.'),
  },
  usageExitCode: EXIT.other,
  run: async ({ flags, args, io, client }) => {
    const [name] = args;
    if (name === undefined || args.length !== 1) throw new CommandFailure('Error: command requires exactly one argument: src or dst');
    if (flags.source && flags.destination) throw new CommandFailure('Error: only one of -source or -destination may be specified');
    const by = flags.source ? 'source' : 'destination';
    const { value: intentions } = await failing('Error matching the connection', () => client().connect.matchIntentions(by, name));
    for (const intention of intentions) print(io, formatIntention(intention));
    return EXIT.ok;
  },
});
