import { defineGroup } from '../../../framework/command.ts';

export const command = defineGroup(
  'Provides tools for autopilot, which looks after the servers',
  `
Usage: {program} operator autopilot <subcommand> [options] [args]

      $ {program} operator autopilot get-config
      $ {program} operator autopilot set-config -cleanup-dead-servers=false
      $ {program} operator autopilot state
      $ {program} operator autopilot health
`,
);
