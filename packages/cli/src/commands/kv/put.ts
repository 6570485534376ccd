import { CommandFailure, defineApiCommand, failing, messageOf } from '../../framework/command.ts';
import { loadDataSource } from '../../framework/data-source.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { booleanFlag, stringFlag, uint64Flag } from '../../framework/flag-types.ts';
import { serverFlags, tenancyFlags } from '../../framework/http-flags.ts';
import { type Io, print, printError } from '../../framework/io.ts';
import { decodeBase64 } from '../../text/base64.ts';

export const command = defineApiCommand({
  synopsis: 'Sets or updates data in the KV store',
  usage: `
Usage: {program} kv put [options] KEY [DATA]

  Writes DATA under KEY. DATA is the value itself, @FILE, or - for standard
  input; without it the value is empty.

      $ {program} kv put config/redis/maxconns 5
      $ {program} kv put config/program/license @license.lic
      $ echo abcd1234 | {program} kv put config/program/license -

  Write only if nobody else has since:

      $ {program} kv put -cas -modify-index=844 config/redis/maxconns 5
`,
  flags: {
    ...serverFlags,
    ...tenancyFlags,
    cas: booleanFlag('Write only if the key still has the index given by -modify-index (0: only if it does not exist).'),
    flags: uint64Flag('Number to keep with the value, for clients to use as they like.'),
    base64: booleanFlag('DATA is base 64.'),
    'modify-index': uint64Flag('The ModifyIndex that the key must have, with -cas.'),
    session: stringFlag('Session for -acquire and -release.'),
    acquire: booleanFlag('Take the lock on the key for -session, and write.'),
    release: booleanFlag('Give the lock on the key held by -session back, and write.'),
  },
  run: async ({ flags, args, io, client }) => {
    const { key, data } = await dataFromArgs(args, io);
    const value = flags.base64 ? decodeArgument(data, io) : data;
    if ((flags.release || flags.acquire) && flags.session === '') {
      throw new CommandFailure('Error! Missing -session (required with -acquire and -release)');
    }
    const { kv } = client();
    const modifyIndex = flags['modify-index'];
    if (flags.cas) {
      const written = await failing(`Error! Did not write to ${key}`, () =>
        kv.put(key, value, { flags: flags.flags, cas: Number(modifyIndex) }),
      );
      if (!written) {
        const reason = modifyIndex === 0 ? 'CAS performed with index=0 and key already exists.' : 'CAS failed';
        throw new CommandFailure(`Error! Did not write to ${key}: ${reason}`);
      }
    } else if (flags.acquire) {
      const held = await failing('Error! Failed writing data', () => kv.put(key, value, { flags: flags.flags, acquire: flags.session }));
      if (!held) throw new CommandFailure('Error! Did not acquire lock');
      print(io, `Success! Lock acquired on: ${key}`);
      return EXIT.ok;
    } else if (flags.release) {
      const released = await failing('Error! Failed writing data', () =>
        kv.put(key, value, { flags: flags.flags, release: flags.session }),
      );
      if (!released) throw new CommandFailure('Error! Did not release lock');
      print(io, `Success! Lock released on: ${key}`);
      return EXIT.ok;
    } else {
      await failing('Error! Failed writing data', () => kv.put(key, value, { flags: flags.flags }));
    }
    print(io, `Success! Data written to: ${key}`);
    return EXIT.ok;
  },
});

async function dataFromArgs(args: readonly string[], io: Io): Promise<{ readonly key: string; readonly data: Uint8Array }> {
  const [key, argument = ''] = args;
  if (key === undefined) throw new CommandFailure('Error! Missing KEY argument');
  if (args.length > 2) throw new CommandFailure(`Error! Too many arguments (expected 1 or 2, got ${args.length})`);
  try {
    return { key, data: await loadDataSource(argument, io) };
  } catch (error) {
    throw new CommandFailure(`Error! ${messageOf(error)}`);
  }
}

/** Consul reports bad base 64 and writes what could be decoded (observed on 1.21): kept, since scripts see exit code 0. */
function decodeArgument(data: Uint8Array, io: Io): Uint8Array {
  const decoded = decodeBase64(new TextDecoder().decode(data));
  if (!decoded.ok) printError(io, `Error! Cannot base 64 decode data: ${decoded.message}`);
  return decoded.bytes;
}
