import { CommandFailure, defineApiCommand, failing } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { serverFlags } from '../../framework/http-flags.ts';
import { print } from '../../framework/io.ts';

export const command = defineApiCommand({
  synopsis: 'Lists all known datacenters',
  usage: `
Usage: {program} catalog datacenters [options]

  Lists the datacenters, nearest first.
`,
  flags: serverFlags,
  run: async ({ args, io, client }) => {
    if (args.length > 0) throw new CommandFailure(`Too many arguments (expected 0, got ${args.length})`);
    const datacenters = await failing('Error listing datacenters', () => client().catalog.datacenters());
    for (const datacenter of datacenters) print(io, datacenter);
    return EXIT.ok;
  },
});
