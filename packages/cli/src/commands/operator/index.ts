import { defineGroup } from '../../framework/command.ts';

export const command = defineGroup(
  'Provides cluster-level tools for operators',
  `
Usage: {program} operator <subcommand> [options] [args]

      $ {program} operator raft list-peers
      $ {program} operator autopilot state
      $ {program} operator recover DATA-DIR
`,
);
