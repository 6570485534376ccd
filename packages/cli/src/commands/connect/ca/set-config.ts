import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { decode, schema } from '@lictor/protocol';
import { CommandFailure, defineApiCommand, failing } from '../../../framework/command.ts';
import { goFileError } from '../../../framework/data-source.ts';
import { EXIT } from '../../../framework/exit-codes.ts';
import { booleanFlag, stringFlag } from '../../../framework/flag-types.ts';
import { serverFlags } from '../../../framework/http-flags.ts';
import { type Io, print } from '../../../framework/io.ts';
import { parseGoJson } from '../../../text/go-json.ts';

const fileShape = schema.object({
  Provider: schema.string(),
  Config: schema.nullable(schema.record(schema.unknown())),
  State: schema.nullable(schema.record(schema.string())),
});

export const command = defineApiCommand({
  synopsis: 'Modify the configuration of the certificate authority',
  usage: `
Usage: {program} connect ca set-config [options] -config-file FILE

  Replaces the configuration of the mesh's certificate authority by that of a
  JSON file. A new root is cross-signed by the old one, so that the mesh keeps
  working while it spreads.
`,
  flags: {
    ...serverFlags,
    'config-file': stringFlag('JSON file with Provider and Config.', '', 'file'),
    'force-without-cross-signing': booleanFlag(
      'Change the root even where the old one cannot sign the new: connections may fail until every proxy has it.',
    ),
  },
  run: async ({ flags, io, client }) => {
    const file = flags['config-file'];
    if (file === '') throw new CommandFailure('The -config-file flag is required');
    const { Provider, Config, State } = await readConfiguration(file, io);
    const configuration = {
      Provider,
      Config: Config ?? {},
      ...(State === null ? {} : { State }),
      ForceWithoutCrossSigning: flags['force-without-cross-signing'],
    };
    await failing('Error setting CA configuration', () => client().connect.setCaConfiguration(configuration));
    print(io, 'Configuration updated!');
    return EXIT.ok;
  },
});

async function readConfiguration(file: string, io: Io): Promise<schema.Infer<typeof fileShape>> {
  const text = await failing('Error reading config file', () =>
    readFile(resolve(io.cwd, file), 'utf8').catch((error: unknown) => {
      throw new Error(goFileError('open', file, error));
    }),
  );
  return failing('Error parsing config file', async () => decode(fileShape, parseGoJson(text)));
}
