import { Buffer } from 'node:buffer';
import type { KvEntry } from '@lictor/protocol';
import { CommandFailure, defineApiCommand, failing } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { booleanFlag, stringFlag } from '../../framework/flag-types.ts';
import { consistencyOf, serverFlags, tenancyFlags } from '../../framework/http-flags.ts';
import { type Io, print } from '../../framework/io.ts';
import { keyArgument } from './key-argument.ts';
import { encodeValue, renderDetails } from './render.ts';

export const command = defineApiCommand({
  synopsis: 'Retrieves or lists data from the KV store',
  usage: `
Usage: {program} kv get [options] [KEY_OR_PREFIX]

  Prints a key's value, or with -recurse and -keys what is under a prefix.

      $ {program} kv get foo
      $ {program} kv get -detailed foo
      $ {program} kv get -recurse foo/
      $ {program} kv get -keys foo/
`,
  flags: {
    ...serverFlags,
    ...tenancyFlags,
    base64: booleanFlag('Print values as base 64.'),
    detailed: booleanFlag("Print the entry's indexes, flags and session too."),
    keys: booleanFlag('List keys, not values.'),
    recurse: booleanFlag('List every entry that starts with the argument.'),
    separator: stringFlag('With -keys: cut names after this, so that folders show once.', '/'),
  },
  run: async ({ flags, args, io, client }) => {
    const key = keyArgument(args);
    if (key === '' && !flags.recurse && !flags.keys) throw new CommandFailure('Error! Missing KEY argument');
    const { kv } = client();
    const query = consistencyOf(flags);
    if (flags.keys && !flags.recurse) {
      const { value: keys } = await failing('Error querying Consul agent', () => kv.keys(key, flags.separator, query));
      for (const name of keys) print(io, name);
      return EXIT.ok;
    }
    if (flags.recurse) {
      const { value: entries } = await failing('Error querying Consul agent', () => kv.list(key, query));
      printEntries(entries, flags, io);
      return EXIT.ok;
    }
    const { value: entry } = await failing('Error querying Consul agent', () => kv.get(key, query));
    if (entry === undefined) throw new CommandFailure(`Error! No key exists at: ${key}`);
    const value = encodeValue(entry, flags.base64);
    printBytes(io, flags.detailed ? renderDetails(entry, value) : value);
    return EXIT.ok;
  },
});

function printEntries(
  entries: readonly KvEntry[],
  flags: { readonly keys: boolean; readonly detailed: boolean; readonly base64: boolean },
  io: Io,
): void {
  entries.forEach((entry, index) => {
    if (flags.detailed) {
      printBytes(io, renderDetails(entry, flags.keys ? undefined : encodeValue(entry, flags.base64)));
      if (index < entries.length - 1) print(io, '');
    } else if (flags.keys) print(io, entry.Key);
    else printBytes(io, Buffer.concat([Buffer.from(`${entry.Key}:`), encodeValue(entry, flags.base64)]));
  });
}

/** Values go out as they are, with a newline behind. */
function printBytes(io: Io, bytes: Uint8Array): void {
  io.stdout.write(bytes);
  io.stdout.write('\n');
}
