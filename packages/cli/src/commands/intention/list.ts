import { defineApiCommand, failing } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { consistencyOf, serverFlags, tenancyFlags } from '../../framework/http-flags.ts';
import { print, printError } from '../../framework/io.ts';
import { columnize } from '../../text/columns.ts';

export const command = defineApiCommand({
  synopsis: 'List intentions',
  usage: `
Usage: {program} intention list [options]

  Lists every intention. Ends with 2 when there is none.
`,
  flags: { ...serverFlags, ...tenancyFlags },
  run: async ({ flags, io, client }) => {
    const { value: intentions } = await failing('Failed to retrieve the intentions list', () =>
      client().connect.intentions(consistencyOf(flags)),
    );
    if (intentions.length === 0) {
      printError(io, 'There are no intentions.');
      return EXIT.other;
    }
    const rows = intentions.map((intention) => [
      intention.ID ?? '',
      intention.SourceName,
      intention.Action ?? '',
      intention.DestinationName,
      String(intention.Precedence),
    ]);
    print(io, columnize([['ID', 'Source', 'Action', 'Destination', 'Precedence'], ...rows]));
    return EXIT.ok;
  },
});
