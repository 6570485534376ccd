import { stringifyJson } from '@lictor/sdk';
import { CommandFailure, defineApiCommand, failing } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { stringFlag } from '../../framework/flag-types.ts';
import { consistencyOf, serverFlags, tenancyFlags } from '../../framework/http-flags.ts';
import { print } from '../../framework/io.ts';
import { sortMaps } from '../../text/go-maps.ts';

export const command = defineApiCommand({
  synopsis: 'Read a centralized config entry',
  usage: `
Usage: {program} config read [options] -kind KIND -name NAME

  Prints a config entry as JSON.

      $ {program} config read -kind proxy-defaults -name global
`,
  flags: { ...serverFlags, ...tenancyFlags, kind: stringFlag('Kind of the entry.'), name: stringFlag('Name of the entry.') },
  run: async ({ flags, io, client }) => {
    const { kind, name } = flags;
    if (kind === '') throw new CommandFailure('Must specify the -kind parameter');
    if (name === '') throw new CommandFailure('Must specify the -name parameter');
    const { value } = await failing(`Error reading config entry ${kind}/${name}`, () =>
      client().config.get(kind, name, consistencyOf(flags)),
    );
    // The content hash is the servers' own: what is printed here can be written again.
    const { Hash: _hash, ...entry } = value;
    print(io, stringifyJson(sortMaps(entry), '    '));
    return EXIT.ok;
  },
});
