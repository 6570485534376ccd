import { defineGroup } from '../../../framework/command.ts';

export const command = defineGroup(
  'Helpers for CAs',
  `
Usage: {program} tls ca <subcommand> [options]

      $ {program} tls ca create
`,
);
