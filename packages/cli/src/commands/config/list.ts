import { CommandFailure, defineApiCommand, failing } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { stringFlag } from '../../framework/flag-types.ts';
import { consistencyOf, serverFlags, tenancyFlags } from '../../framework/http-flags.ts';
import { print } from '../../framework/io.ts';

export const command = defineApiCommand({
  synopsis: 'List centralized config entries of a given kind',
  usage: `
Usage: {program} config list [options] -kind KIND

  Prints the names of the entries of a kind.

      $ {program} config list -kind service-defaults
`,
  flags: {
    ...serverFlags,
    ...tenancyFlags,
    kind: stringFlag('Kind of the entries.'),
    filter: stringFlag('Filter expression.', '', 'expression'),
  },
  run: async ({ flags, io, client }) => {
    const { kind, filter } = flags;
    if (kind === '') throw new CommandFailure('Must specify the -kind parameter');
    const { value: entries } = await failing(`Error listing config entries for kind ${JSON.stringify(kind)}`, () =>
      client().config.list(kind, { filter, ...consistencyOf(flags) }),
    );
    for (const entry of entries) print(io, entry.Name);
    return EXIT.ok;
  },
});
