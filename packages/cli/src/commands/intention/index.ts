import { defineGroup } from '../../framework/command.ts';

export const command = defineGroup(
  'Interact with service intentions',
  `
Usage: {program} intention <subcommand> [options] [args]

  Intentions say which service may talk to which.

      $ {program} intention create web db
      $ {program} intention check web db
      $ {program} intention explain web db
      $ {program} intention list
`,
);
