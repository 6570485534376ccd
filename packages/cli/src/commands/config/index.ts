import { defineGroup } from '../../framework/command.ts';

export const command = defineGroup(
  'Interact with centralized configuration',
  `
Usage: {program} config <subcommand> [options] [args]

  Config entries are settings that the whole cluster shares, by kind and name.

      $ {program} config write web.hcl
      $ {program} config read -kind service-defaults -name web
      $ {program} config list -kind service-defaults
      $ {program} config delete -kind service-defaults -name web
`,
);
