import { stringifyJson } from '@lictor/sdk';
import { defineApiCommand, failing } from '../../../framework/command.ts';
import { EXIT } from '../../../framework/exit-codes.ts';
import { consistencyOf, serverFlags } from '../../../framework/http-flags.ts';
import { print } from '../../../framework/io.ts';
import { sortMaps } from '../../../text/go-maps.ts';

export const command = defineApiCommand({
  synopsis: 'Display the current configuration of the certificate authority',
  usage: `
Usage: {program} connect ca get-config [options]

  Prints the configuration of the mesh's certificate authority as JSON.
`,
  flags: serverFlags,
  run: async ({ flags, io, client }) => {
    const { value } = await failing('Error querying CA configuration', () => client().connect.caConfiguration(consistencyOf(flags)));
    print(io, stringifyJson(sortMaps(value), '\t'));
    return EXIT.ok;
  },
});
