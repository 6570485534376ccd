import { defineGroup } from '../../framework/command.ts';

export const command = defineGroup(
  "Saves, restores and inspects snapshots of the servers' state",
  `
Usage: {program} snapshot <subcommand> [options] [args]

      $ {program} snapshot save backup.snap
      $ {program} snapshot inspect backup.snap
      $ {program} snapshot restore backup.snap
`,
);
