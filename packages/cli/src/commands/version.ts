import { defineCommand, CommandFailure } from '../framework/command.ts';
import { EXIT } from '../framework/exit-codes.ts';
import { stringFlag } from '../framework/flag-types.ts';
import { print } from '../framework/io.ts';
import { API_VERSION, LICTOR_VERSION } from '@lictor/protocol';

/** Serf's protocol versions, of which the API level speaks 2 by default. */
const RPC = { Default: 2, Min: 2, Max: 3 } as const;
/** Builds carry no date of their own, so that the same source gives the same bytes; Consul's development builds print this one. */
const BUILD_DATE = '1970-01-01T00:00:01Z';

export const command = defineCommand({
  synopsis: 'Prints the version',
  usage: `
Usage: {program} version [options]

  Prints the API level in the form in which Consul prints its version, so that
  scripts which read it go on working, and Lictor's own version below.
`,
  flags: { format: stringFlag('Output format: pretty or json.', 'pretty') },
  run: async ({ flags, io }) => {
    if (flags.format !== 'pretty' && flags.format !== 'json') throw new CommandFailure(`Unknown format: ${flags.format}`);
    print(io, flags.format === 'json' ? formatJson() : formatPretty());
    return EXIT.ok;
  },
});

/** Ends with a newline of its own, as Consul's does. Lictor's line comes last: scripts read the first. */
function formatPretty(): string {
  const supplement = ` (agent will automatically use protocol >${RPC.Default} when speaking to compatible agents)`;
  return [
    `Consul v${API_VERSION}`,
    `Build Date ${BUILD_DATE}`,
    `Protocol ${RPC.Default} spoken by default, understands ${RPC.Min} to ${RPC.Max}${supplement}`,
    `Lictor v${LICTOR_VERSION}`,
    '',
  ].join('\n');
}

function formatJson(): string {
  const info = { Version: API_VERSION, Revision: '', Prerelease: '', BuildDate: BUILD_DATE, RPC, Lictor: LICTOR_VERSION };
  return JSON.stringify(info, undefined, '   ');
}
