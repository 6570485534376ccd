import { defineGroup } from '../../../framework/command.ts';

export const command = defineGroup(
  'Interact with the certificate authority of the mesh',
  `
Usage: {program} connect ca <subcommand> [options] [args]

      $ {program} connect ca get-config
      $ {program} connect ca set-config -config-file ca.json
`,
);
