import { Buffer } from 'node:buffer';
import { stringifyJson } from '@lictor/sdk';
import { defineApiCommand, failing } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { consistencyOf, serverFlags, tenancyFlags } from '../../framework/http-flags.ts';
import { print } from '../../framework/io.ts';
import { keyArgument } from './key-argument.ts';

export const command = defineApiCommand({
  synopsis: 'Exports a tree from the KV store as JSON',
  usage: `
Usage: {program} kv export [options] [KEY_OR_PREFIX]

  Prints every entry under the prefix as JSON that "kv import" takes: a list of
  key, flags and base 64 value.

      $ {program} kv export vault > vault.json
`,
  flags: { ...serverFlags, ...tenancyFlags },
  run: async ({ flags, args, io, client }) => {
    const prefix = keyArgument(args);
    const { value } = await failing('Error querying Consul agent', () => client().kv.list(prefix, consistencyOf(flags)));
    const exported = value.map((entry) => ({ key: entry.Key, flags: entry.Flags, value: Buffer.from(entry.Value).toString('base64') }));
    print(io, stringifyJson(exported, '\t'));
    return EXIT.ok;
  },
});
