import { CommandFailure, defineApiCommand, failing } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { booleanFlag, uint64Flag } from '../../framework/flag-types.ts';
import { serverFlags, tenancyFlags } from '../../framework/http-flags.ts';
import { print } from '../../framework/io.ts';
import { keyArgument } from './key-argument.ts';

export const command = defineApiCommand({
  synopsis: 'Removes data from the KV store',
  usage: `
Usage: {program} kv delete [options] KEY_OR_PREFIX

  Deletes a key, or with -recurse every key that starts so. Deleting what is
  not there succeeds.

      $ {program} kv delete foo
      $ {program} kv delete -recurse foo/
`,
  flags: {
    ...serverFlags,
    ...tenancyFlags,
    cas: booleanFlag('Delete only if the key still has the index given by -modify-index.'),
    'modify-index': uint64Flag('The ModifyIndex that the key must have, with -cas.'),
    recurse: booleanFlag('Delete every key that starts with the argument.'),
  },
  run: async ({ flags, args, io, client }) => {
    const key = keyArgument(args);
    const modifyIndex = flags['modify-index'];
    if (key === '' && !flags.recurse) throw new CommandFailure('Error! Missing KEY argument');
    if (flags.cas && modifyIndex === 0) {
      throw new CommandFailure('Cannot delete a key that does not exist. Provide a -modify-index greater than than 0.');
    }
    if (modifyIndex !== 0 && !flags.cas) throw new CommandFailure('Cannot specify -modify-index without -cas!');
    if (flags.recurse && flags.cas) throw new CommandFailure('Cannot specify both -cas and -recurse!');
    const { kv } = client();
    if (flags.recurse) {
      await failing(`Error! Did not delete prefix ${key}`, () => kv.delete(key, { recurse: true }));
      print(io, `Success! Deleted keys with prefix: ${key}`);
      return EXIT.ok;
    }
    if (flags.cas) {
      const deleted = await failing(`Error! Did not delete key ${key}`, () => kv.delete(key, { cas: Number(modifyIndex) }));
      if (!deleted) throw new CommandFailure(`Error! Did not delete key ${key}: CAS failed`);
    } else await failing(`Error deleting key ${key}`, () => kv.delete(key));
    print(io, `Success! Deleted key: ${key}`);
    return EXIT.ok;
  },
});
