import { defineGroup } from '../../framework/command.ts';

export const command = defineGroup(
  'Makes certificates for agents',
  `
Usage: {program} tls <subcommand> <subcommand> [options]

  Makes the certificates by which agents and people prove to each other who
  they are, and the CA that they are checked against.

      $ {program} tls ca create
      $ {program} tls cert create -server
`,
);
