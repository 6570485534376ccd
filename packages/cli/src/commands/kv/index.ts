import { defineGroup } from '../../framework/command.ts';

export const command = defineGroup(
  'Interact with the key-value store',
  `
Usage: {program} kv <subcommand> [options] [args]

  Reads and writes the cluster's key-value store.

      $ {program} kv put redis/config/connections 5
      $ {program} kv get redis/config/connections
      $ {program} kv get -recurse redis/
      $ {program} kv delete redis/config/connections
`,
);
