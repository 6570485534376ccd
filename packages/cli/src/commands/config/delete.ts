import { CommandFailure, defineApiCommand, failing } from '../../framework/command.ts';
import { loadFileOrStdin } from '../../framework/data-source.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { booleanFlag, stringFlag, uint64Flag } from '../../framework/flag-types.ts';
import { serverFlags, tenancyFlags } from '../../framework/http-flags.ts';
import { type Io, print } from '../../framework/io.ts';
import { parseEntryText } from './parse-entry.ts';

interface Target {
  readonly kind: string;
  readonly name: string;
}

export const command = defineApiCommand({
  synopsis: 'Delete a centralized config entry',
  usage: `
Usage: {program} config delete [options] -kind KIND -name NAME
Usage: {program} config delete [options] -filename FILE

  Deletes a config entry. Deleting what is not there succeeds.

      $ {program} config delete -kind service-defaults -name web
`,
  flags: {
    ...serverFlags,
    ...tenancyFlags,
    filename: stringFlag('File that holds the entry: its kind and name are taken from it.', '', 'file'),
    kind: stringFlag('Kind of the entry.'),
    name: stringFlag('Name of the entry.'),
    cas: booleanFlag('Delete only if the entry still has the index given by -modify-index.'),
    'modify-index': uint64Flag('The ModifyIndex that the entry must have, with -cas.'),
  },
  run: async ({ flags, io, client }) => {
    const { filename, cas } = flags;
    const modifyIndex = Number(flags['modify-index']);
    checkTarget(flags);
    if (cas && modifyIndex === 0) throw new CommandFailure('Must specify a -modify-index greater than 0 with -cas');
    if (modifyIndex !== 0 && !cas) throw new CommandFailure('Cannot specify -modify-index without -cas');
    const { kind, name } = filename === '' ? flags : await readTarget(filename, io);
    const deleted = await failing(`Error deleting config entry ${kind}/${name}`, () =>
      client().config.delete(kind, name, cas ? { cas: modifyIndex } : {}),
    );
    if (!deleted) throw new CommandFailure(`Config entry not deleted: ${kind}/${name}`);
    print(io, `Config entry deleted: ${kind}/${name}`);
    return EXIT.ok;
  },
});

function checkTarget({ filename, kind, name }: Target & { readonly filename: string }): void {
  if (filename === '' && kind === '' && name === '') throw new CommandFailure('Must specify the -kind or -filename parameter');
  if (filename !== '') {
    if (kind !== '' || name !== '') throw new CommandFailure("filename can't be used with kind or name");
    return;
  }
  if (kind === '') throw new CommandFailure('Must specify the -kind parameter');
  if (name === '') throw new CommandFailure('Must specify the -name parameter');
}

async function readTarget(filename: string, io: Io): Promise<Target> {
  const text = await failing('Failed to load data', () => loadFileOrStdin(filename, io));
  const { Kind: kind, Name: name } = parseEntryText(text);
  return { kind, name };
}
