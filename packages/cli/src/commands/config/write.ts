import type { ConfigEntryInput } from '@lictor/sdk';
import { CommandFailure, defineApiCommand, failing } from '../../framework/command.ts';
import { loadFileOrStdin } from '../../framework/data-source.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { booleanFlag, uint64Flag } from '../../framework/flag-types.ts';
import { serverFlags, tenancyFlags } from '../../framework/http-flags.ts';
import { print, printError } from '../../framework/io.ts';
import { parseEntryText } from './parse-entry.ts';

export const command = defineApiCommand({
  synopsis: 'Create or update a centralized config entry',
  usage: `
Usage: {program} config write [options] FILE

  Writes the config entry of a file, or of standard input with -, in HCL or JSON.

      $ {program} config write web.hcl
`,
  flags: {
    ...serverFlags,
    ...tenancyFlags,
    cas: booleanFlag('Write only if the entry still has the index given by -modify-index.'),
    'modify-index': uint64Flag('The ModifyIndex that the entry must have, with -cas.'),
  },
  run: async ({ flags, args, io, client }) => {
    const [file] = args;
    if (file === undefined || args.length !== 1) {
      throw new CommandFailure('Must provide exactly one positional argument to specify the config entry to write');
    }
    const text = await failing('Failed to load data', () => loadFileOrStdin(file, io));
    const entry = parseEntryText(text);
    const name = `${entry.Kind}/${entry.Name}`;
    const options = flags.cas ? { cas: Number(flags['modify-index']) } : {};
    const written = await failing(`Error writing config entry ${name}`, () => client().config.set(entry, options));
    if (!written) throw new CommandFailure(`Config entry not updated: ${name}`);
    print(io, `Config entry written: ${name}`);
    const warning = permissiveWarning(entry);
    if (warning !== undefined) printError(io, `WARNING: ${warning}`);
    return EXIT.ok;
  },
});

/** What makes a mesh take plain connections is said aloud when it is written, as Consul does. */
function permissiveWarning(entry: ConfigEntryInput): string | undefined {
  if ((entry.Kind === 'service-defaults' || entry.Kind === 'proxy-defaults') && entry.MutualTLSMode === 'permissive') {
    return `MutualTLSMode=permissive lets connections in that are neither encrypted nor authenticated (${entry.Kind}). Go back to strict as soon as every client is in the mesh.`;
  }
  if (entry.Kind === 'mesh' && entry.AllowEnablingPermissiveMutualTLS === true) {
    return 'AllowEnablingPermissiveMutualTLS=true lets services take connections that are neither encrypted nor authenticated. Turn it off once every service is in the mesh.';
  }
  return undefined;
}
