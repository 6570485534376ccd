import { defineGroup } from '../../../framework/command.ts';

export const command = defineGroup(
  "Provides tools for the servers' Raft group",
  `
Usage: {program} operator raft <subcommand> [options] [args]

      $ {program} operator raft list-peers
      $ {program} operator raft remove-peer -id=ID
      $ {program} operator raft transfer-leader
`,
);
