import { defineApiCommand, failing } from '../../../framework/command.ts';
import { EXIT } from '../../../framework/exit-codes.ts';
import { consistencyOf, serverFlags } from '../../../framework/http-flags.ts';
import { print } from '../../../framework/io.ts';

export const command = defineApiCommand({
  synopsis: "Display autopilot's configuration",
  usage: `
Usage: {program} operator autopilot get-config [options]

  Shows how the leader looks after the servers.
`,
  flags: serverFlags,
  run: async ({ flags, io, client }) => {
    const config = await failing('Error querying Autopilot configuration', () =>
      client().operator.autopilotConfiguration(consistencyOf(flags)),
    );
    print(io, `CleanupDeadServers = ${config.CleanupDeadServers}`);
    print(io, `LastContactThreshold = ${config.LastContactThreshold}`);
    print(io, `MaxTrailingLogs = ${config.MaxTrailingLogs}`);
    print(io, `MinQuorum = ${config.MinQuorum}`);
    print(io, `ServerStabilizationTime = ${config.ServerStabilizationTime}`);
    print(io, `RedundancyZoneTag = ${JSON.stringify(config.RedundancyZoneTag)}`);
    print(io, `DisableUpgradeMigration = ${config.DisableUpgradeMigration}`);
    print(io, `UpgradeVersionTag = ${JSON.stringify(config.UpgradeVersionTag)}`);
    return EXIT.ok;
  },
});
