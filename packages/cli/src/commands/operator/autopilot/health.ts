import type { AutopilotHealth, ServerHealth } from '@lictor/sdk';
import { CommandFailure, defineApiCommand, failing } from '../../../framework/command.ts';
import { EXIT } from '../../../framework/exit-codes.ts';
import { stringFlag } from '../../../framework/flag-types.ts';
import { consistencyOf, serverFlags } from '../../../framework/http-flags.ts';
import { print } from '../../../framework/io.ts';
import { columnize } from '../../../text/columns.ts';

const HEADER = ['Node', 'ID', 'Address', 'Status', 'Healthy', 'Voter', 'Leader', 'Last Contact', 'Last Index', 'Stable Since'];

/** Ours: Consul has it in its HTTP API only. */
export const command = defineApiCommand({
  synopsis: 'Check whether all servers are healthy',
  usage: `
Usage: {program} operator autopilot health [options]

  Shows the health of each server. Ends with 2 when one is unhealthy, so that
  scripts can wait for a cluster to be well.
`,
  flags: { ...serverFlags, format: stringFlag('Output format: pretty or json.', 'pretty') },
  run: async ({ flags, io, client }) => {
    const health = await failing('Error querying Autopilot health', () => client().operator.autopilotHealth(consistencyOf(flags)));
    if (flags.format !== 'pretty' && flags.format !== 'json') throw new CommandFailure(`Unknown format: ${flags.format}`);
    print(io, flags.format === 'json' ? JSON.stringify(health, undefined, '    ') : formatPretty(health));
    return health.Healthy ? EXIT.ok : EXIT.other;
  },
});

function formatPretty(health: AutopilotHealth): string {
  const servers = health.Servers ?? [];
  return [
    `Healthy:           ${health.Healthy}`,
    `Failure Tolerance: ${health.FailureTolerance}`,
    '',
    columnize([HEADER, ...servers.map(toRow)]),
  ].join('\n');
}

function toRow(server: ServerHealth): string[] {
  const { Name, ID, Address, SerfStatus, Healthy, Voter, Leader, LastContact, LastIndex, StableSince } = server;
  return [Name, ID, Address, SerfStatus, String(Healthy), String(Voter), String(Leader), LastContact, String(LastIndex), StableSince];
}
