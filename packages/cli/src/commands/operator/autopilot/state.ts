import type { AutopilotServer, AutopilotState } from '@lictor/sdk';
import { CommandFailure, defineApiCommand, failing } from '../../../framework/command.ts';
import { EXIT } from '../../../framework/exit-codes.ts';
import { stringFlag } from '../../../framework/flag-types.ts';
import { consistencyOf, serverFlags } from '../../../framework/http-flags.ts';
import { print } from '../../../framework/io.ts';

export const command = defineApiCommand({
  synopsis: 'Display how the servers are',
  usage: `
Usage: {program} operator autopilot state [options]

  Shows every server with its role and health, and how many may fail.
`,
  flags: { ...serverFlags, format: stringFlag('Output format: pretty or json.', 'pretty') },
  run: async ({ flags, io, client }) => {
    const state = await failing('Error querying Autopilot state', () => client().operator.autopilotState(consistencyOf(flags)));
    if (flags.format !== 'pretty' && flags.format !== 'json') throw new CommandFailure(`Unknown format: ${flags.format}`);
    print(io, flags.format === 'json' ? JSON.stringify(state, undefined, '    ') : formatPretty(state));
    return EXIT.ok;
  },
});

/** Ends with an empty line, as Consul's. */
function formatPretty(state: AutopilotState): string {
  return [
    `Healthy:                      ${state.Healthy}`,
    `Failure Tolerance:            ${state.FailureTolerance}`,
    `Optimistic Failure Tolerance: ${state.OptimisticFailureTolerance}`,
    `Leader:                       ${state.Leader}`,
    'Voters:',
    ...(state.Voters ?? []).map((id) => `   ${id}`),
    'Servers:',
    ...Object.keys(state.Servers)
      .sort()
      .flatMap((id) => formatServer(state.Servers[id] as AutopilotServer)),
    '',
  ].join('\n');
}

function formatServer(server: AutopilotServer): string[] {
  const meta = Object.entries(server.Meta ?? {}).sort(([left], [right]) => (left < right ? -1 : 1));
  return [
    `   ${server.ID}`,
    `      Name:            ${server.Name}`,
    `      Address:         ${server.Address}`,
    `      Version:         ${server.Version}`,
    `      Status:          ${server.Status}`,
    `      Node Type:       ${server.NodeType}`,
    `      Node Status:     ${server.NodeStatus}`,
    `      Healthy:         ${server.Healthy}`,
    `      Last Contact:    ${server.LastContact}`,
    `      Last Term:       ${server.LastTerm}`,
    `      Last Index:      ${server.LastIndex}`,
    ...(server.RedundancyZone ? [`      Redundancy Zone: ${server.RedundancyZone}`] : []),
    ...(server.UpgradeVersion ? [`      Upgrade Version: ${server.UpgradeVersion}`] : []),
    ...(server.ReadReplica ? ['      Read Replica:    true'] : []),
    ...(meta.length > 0 ? ['      Meta'] : []),
    ...meta.map(([key, value]) => `         ${JSON.stringify(key)}: ${JSON.stringify(value)}`),
  ];
}
