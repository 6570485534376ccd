import { formatDuration } from '@lictor/protocol';
import type { AutopilotConfiguration } from '@lictor/sdk';
import { defineApiCommand, failing } from '../../../framework/command.ts';
import { EXIT } from '../../../framework/exit-codes.ts';
import { booleanFlag, durationFlag, integerFlag, stringFlag } from '../../../framework/flag-types.ts';
import { serverFlags } from '../../../framework/http-flags.ts';
import { print } from '../../../framework/io.ts';

export const command = defineApiCommand({
  synopsis: "Modify autopilot's configuration",
  usage: `
Usage: {program} operator autopilot set-config [options]

  Changes what is given, and leaves the rest as it is. Fails when somebody else
  changes it at the same time.

      $ {program} operator autopilot set-config -min-quorum=3
`,
  flags: {
    ...serverFlags,
    'cleanup-dead-servers': booleanFlag('Take servers that failed out of the Raft group, as long as enough are left.'),
    'max-trailing-logs': integerFlag('Log entries behind the leader after which a server is unhealthy.'),
    'min-quorum': integerFlag('Cleaning up leaves at least so many voters.'),
    'last-contact-threshold': durationFlag('Time without the leader after which a server is unhealthy: 200ms.'),
    'server-stabilization-time': durationFlag('How long a new server has to be healthy before it votes: 10s.'),
    'redundancy-zone-tag': stringFlag('Of Consul Enterprise: kept, without effect.'),
    'disable-upgrade-migration': booleanFlag('Of Consul Enterprise: kept, without effect.'),
    'upgrade-version-tag': stringFlag('Of Consul Enterprise: kept, without effect.'),
  },
  run: async ({ flags, given, io, client }) => {
    const { operator } = client();
    const current = await failing('Error querying Autopilot configuration', () => operator.autopilotConfiguration());
    const changes: Partial<AutopilotConfiguration> = {
      ...(given.has('cleanup-dead-servers') ? { CleanupDeadServers: flags['cleanup-dead-servers'] } : {}),
      ...(given.has('max-trailing-logs') ? { MaxTrailingLogs: flags['max-trailing-logs'] } : {}),
      ...(given.has('min-quorum') ? { MinQuorum: flags['min-quorum'] } : {}),
      ...(given.has('last-contact-threshold') ? { LastContactThreshold: formatDuration(flags['last-contact-threshold']) } : {}),
      ...(given.has('server-stabilization-time') ? { ServerStabilizationTime: formatDuration(flags['server-stabilization-time']) } : {}),
      ...(given.has('redundancy-zone-tag') ? { RedundancyZoneTag: flags['redundancy-zone-tag'] } : {}),
      ...(given.has('disable-upgrade-migration') ? { DisableUpgradeMigration: flags['disable-upgrade-migration'] } : {}),
      ...(given.has('upgrade-version-tag') ? { UpgradeVersionTag: flags['upgrade-version-tag'] } : {}),
    };
    const isSet = await failing('Error setting Autopilot configuration', () =>
      operator.setAutopilotConfiguration({ ...current, ...changes }, { cas: current.ModifyIndex }),
    );
    print(io, isSet ? 'Configuration updated!' : 'Configuration could not be atomically updated, please try again');
    return isSet ? EXIT.ok : EXIT.failure;
  },
});
