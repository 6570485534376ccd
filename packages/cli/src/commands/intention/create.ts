import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { IntentionInput, LictorClient } from '@lictor/sdk';
import { CommandFailure, defineApiCommand, failing } from '../../framework/command.ts';
import { goFileError } from '../../framework/data-source.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { booleanFlag, mapFlag } from '../../framework/flag-types.ts';
import { serverFlags, tenancyFlags } from '../../framework/http-flags.ts';
import { type Io, print } from '../../framework/io.ts';
import { parseGoJson } from '../../text/go-json.ts';
import { destinationOf, formatIntention, parseTarget, sourceOf } from './names.ts';

export const command = defineApiCommand({
  synopsis: 'Create intentions for service connections',
  usage: `
Usage: {program} intention create [options] SRC DST
Usage: {program} intention create [options] -file FILE...

  Says whether SRC may connect to DST: it may, unless -deny. Fails when there is
  such an intention already, unless -replace.

      $ {program} intention create web db
      $ {program} intention create -deny -replace '*' db
      $ {program} intention create -file one.json two.json
`,
  flags: {
    ...serverFlags,
    ...tenancyFlags,
    allow: booleanFlag('Allow. The default.'),
    deny: booleanFlag('Deny.'),
    file: booleanFlag('The arguments are JSON files, one intention each.'),
    replace: booleanFlag('Replace an intention of the same source and destination.'),
    meta: mapFlag('Metadata to keep with it. May be given more than once.'),
  },
  run: async ({ flags, args, io, client }) => {
    if (flags.allow && flags.deny) throw new CommandFailure('Only one of -allow or -deny may be specified.');
    const action = flags.deny ? 'deny' : 'allow';
    const intentions = await failing('Error', () => (flags.file ? fromFiles(args, io) : fromArguments(args, action, flags.meta)));
    const connected = client();
    for (const intention of intentions) {
      if (flags.replace && (await replace(connected, intention))) continue;
      const text = formatIntention(intention);
      await failing(`Error creating intention ${JSON.stringify(text)}`, () => connected.connect.createIntention(intention));
      print(io, `Created: ${text}`);
    }
    return EXIT.ok;
  },
});

/** True when there was one to replace; Consul says nothing then, and scripts know it. */
async function replace({ connect }: LictorClient, intention: IntentionInput): Promise<boolean> {
  const [source, destination] = [sourceOf(intention), destinationOf(intention)];
  const names = `source ${JSON.stringify(source)} and destination ${JSON.stringify(destination)}`;
  const { value: existing } = await failing(`Error looking up intention for replacement with ${names}`, () =>
    connect.intentionExact(source, destination),
  );
  if (existing === undefined) return false;
  await failing(`Error replacing intention with ${names}`, () =>
    // One that has no id was made as a config entry: only the exact endpoint reaches it.
    existing.ID ? connect.updateIntention(existing.ID, { ...intention, ID: existing.ID }) : connect.upsertIntention(intention),
  );
  return true;
}

async function fromArguments(
  args: readonly string[],
  action: string,
  meta: Readonly<Record<string, string>>,
): Promise<readonly IntentionInput[]> {
  const [source, destination] = args;
  if (source === undefined || destination === undefined || args.length !== 2)
    throw new Error('Must specify two arguments: source and destination');
  const from = await failing('Invalid intention source', async () => parseTarget(source));
  const to = await failing('Invalid intention destination', async () => parseTarget(destination));
  return [
    {
      ...(from.namespace === '' ? {} : { SourceNS: from.namespace }),
      SourceName: from.name,
      ...(to.namespace === '' ? {} : { DestinationNS: to.namespace }),
      DestinationName: to.name,
      SourceType: 'consul',
      Action: action,
      ...(Object.keys(meta).length === 0 ? {} : { Meta: meta }),
    },
  ];
}

async function fromFiles(paths: readonly string[], io: Io): Promise<readonly IntentionInput[]> {
  const intentions: IntentionInput[] = [];
  for (const path of paths) {
    const text = await readFile(resolve(io.cwd, path), 'utf8').catch((error: unknown) => {
      throw new Error(goFileError('open', path, error));
    });
    intentions.push(checkIntention(parseGoJson(text), path));
  }
  return intentions;
}

function checkIntention(value: unknown, path: string): IntentionInput {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error('json: cannot unmarshal into Go value of type api.Intention');
  }
  const intention = value as IntentionInput;
  if ((intention.Permissions ?? []).length > 0) {
    throw new Error(`cannot create L7 intention from file ${JSON.stringify(path)} using this CLI; use 'consul config write' instead`);
  }
  return { ...intention, SourceName: intention.SourceName ?? '', DestinationName: intention.DestinationName ?? '' };
}
