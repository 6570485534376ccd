import type { Intention } from '@lictor/protocol';
import type { LictorClient } from '@lictor/sdk';
import { CommandFailure, defineApiCommand, failing } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { serverFlags, tenancyFlags } from '../../framework/http-flags.ts';
import { print } from '../../framework/io.ts';
import { columnize } from '../../text/columns.ts';
import { formatRfc850 } from '../../text/dates.ts';
import { destinationOf, sourceOf } from './names.ts';

export const command = defineApiCommand({
  synopsis: 'Show information about an intention',
  usage: `
Usage: {program} intention get [options] SRC DST
Usage: {program} intention get [options] ID

  Shows the intention between two services, or the one with this id.

      $ {program} intention get web db
`,
  flags: { ...serverFlags, ...tenancyFlags },
  run: async ({ args, io, client }) => {
    const intention = await findIntention(client(), args);
    print(io, columnize(rows(intention)));
    const permissions = intention.Permissions ?? [];
    if (permissions.length > 0) print(io, `Permissions:\n${JSON.stringify(permissions, undefined, 2)}`);
    return EXIT.ok;
  },
});

async function findIntention({ connect }: LictorClient, args: readonly string[]): Promise<Intention> {
  const [first, second] = args;
  if (first === undefined || args.length > 2) throw new CommandFailure('command requires exactly 1 or 2 arguments');
  if (second === undefined) {
    const intention = await failing('Error reading the intention', () => connect.intentionById(first));
    if (intention === undefined) throw new CommandFailure(`Intention not found with ID ${JSON.stringify(first)}`);
    return intention;
  }
  const { value } = await failing('Error reading the intention', () => connect.intentionExact(first, second));
  if (value === undefined) {
    throw new CommandFailure(`Intention not found with source ${JSON.stringify(first)} and destination ${JSON.stringify(second)}`);
  }
  return value;
}

function rows(intention: Intention): string[][] {
  const meta = intention.Meta ?? {};
  return [
    ['Source:', sourceOf(intention)],
    ['Destination:', destinationOf(intention)],
    ...(intention.Action ? [['Action:', intention.Action]] : []),
    ...(intention.ID ? [['ID:', intention.ID]] : []),
    ...(intention.Description ? [['Description:', intention.Description]] : []),
    ...Object.keys(meta)
      .sort()
      .map((key) => [`Meta[${key}]:`, meta[key] ?? '']),
    ['Created At:', formatRfc850(intention.CreatedAt)],
  ];
}
