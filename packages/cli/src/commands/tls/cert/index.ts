import { defineGroup } from '../../../framework/command.ts';

export const command = defineGroup(
  'Helpers for certificates',
  `
Usage: {program} tls cert <subcommand> [options]

      $ {program} tls cert create -server
      $ {program} tls cert create -client
`,
);
