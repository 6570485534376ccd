import { defineGroup } from '../../framework/command.ts';

export const command = defineGroup(
  'Interact with services',
  `
Usage: {program} services <subcommand> [options] [args]

  Registers services at the local agent, and takes them away again.

      $ {program} services register web.json
      $ {program} services deregister -id=web
`,
);
