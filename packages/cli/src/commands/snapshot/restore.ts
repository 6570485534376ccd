import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { defineApiCommand, failing } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { serverFlags } from '../../framework/http-flags.ts';
import { print } from '../../framework/io.ts';
import { checkReadable } from '../../snapshot/archive.ts';
import { fileArgument } from './file-argument.ts';

export const command = defineApiCommand({
  synopsis: "Restores a snapshot of the servers' state",
  usage: `
Usage: {program} snapshot restore [options] FILE

  Replaces all that the servers keep (KV, catalog, sessions, intentions, config
  entries, the CA) by what the snapshot holds. For disasters, and for filling a
  new cluster. Needs a management token where ACLs are on.
`,
  flags: serverFlags,
  run: async ({ args, io, client }) => {
    const file = fileArgument(args);
    const path = resolve(io.cwd, file);
    const { snapshot } = client();
    await failing('Error opening snapshot file', () => checkReadable(path, file));
    await failing('Error restoring snapshot', () => snapshot.restore(createReadStream(path)));
    print(io, 'Restored snapshot');
    return EXIT.ok;
  },
});
