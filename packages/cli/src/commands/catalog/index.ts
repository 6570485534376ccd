import { defineGroup } from '../../framework/command.ts';

export const command = defineGroup(
  'Interact with the catalog',
  `
Usage: {program} catalog <subcommand> [options] [args]

  Lists what the cluster knows.

      $ {program} catalog datacenters
      $ {program} catalog nodes
      $ {program} catalog services
`,
);
