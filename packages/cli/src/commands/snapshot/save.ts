import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { parse, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { LictorClient } from '@lictor/sdk';
import { defineApiCommand, failing } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { stringFlag } from '../../framework/flag-types.ts';
import { consistencyOf, serverFlags } from '../../framework/http-flags.ts';
import { print } from '../../framework/io.ts';
import { readArchive } from '../../snapshot/archive.ts';
import { fileArgument } from './file-argument.ts';

/** Snapshots hold private keys and tokens. */
const OWNER_ONLY = 0o600;

export const command = defineApiCommand({
  synopsis: "Saves a snapshot of the servers' state",
  usage: `
Usage: {program} snapshot save [options] FILE

  Saves all that the servers keep at one moment, and verifies the file before it
  takes its name. Needs a management token where ACLs are on.

      $ {program} snapshot save backup.snap
      $ {program} snapshot save -stale backup.snap
`,
  flags: { ...serverFlags, 'append-filename': stringFlag('Put into the file name, comma-separated: version, dc.') },
  run: async ({ flags, args, io, client }) => {
    const connected = client();
    const file = await nameFile(fileArgument(args), flags['append-filename'], connected);
    const path = resolve(io.cwd, file);
    const unverified = `${path}.unverified`;
    const { body, meta } = await failing('Error saving snapshot', () => connected.snapshot.save(consistencyOf(flags)));
    try {
      await failing('Error writing unverified snapshot file', () => pipeline(body, createWriteStream(unverified, { mode: OWNER_ONLY })));
      await failing('Error verifying snapshot file', () => readArchive(unverified));
      await failing(`Error renaming ${JSON.stringify(`${file}.unverified`)} to ${JSON.stringify(file)}`, () => rename(unverified, path));
    } finally {
      await rm(unverified, { force: true });
    }
    print(io, `Saved and verified snapshot to index ${meta.index}`);
    return EXIT.ok;
  },
});

async function nameFile(file: string, append: string, { operator, agent }: LictorClient): Promise<string> {
  const parts = append.split(',').filter((part) => part !== '');
  if (parts.length === 0) return file;
  const { ext } = parse(file);
  let stem = ext === '' ? file : file.slice(0, -ext.length);
  if (parts.includes('version')) {
    const health = await failing('Error fetching version of Consul agent Leader', () => operator.autopilotHealth());
    stem += `-${health.Servers.find(({ Leader }) => Leader)?.Version ?? ''}`;
  }
  if (parts.includes('dc')) {
    const self = await failing('Error connecting to Consul agent and fetching datacenter/version', () => agent.self());
    stem += `-${self.Config.Datacenter}`;
  }
  return stem + ext;
}
