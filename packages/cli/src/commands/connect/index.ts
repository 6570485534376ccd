import { defineGroup } from '../../framework/command.ts';

export const command = defineGroup(
  'Interact with the service mesh',
  `
Usage: {program} connect <subcommand> [options] [args]

  Runs sidecars and looks after the mesh's certificate authority.

      $ {program} connect proxy -sidecar-for web
      $ {program} connect ca get-config
`,
);
