import { randomBytes } from 'node:crypto';
import { defineCommand } from '../framework/command.ts';
import { EXIT } from '../framework/exit-codes.ts';
import { print } from '../framework/io.ts';

const KEY_BYTES = 32;

export const command = defineCommand({
  synopsis: 'Generates a new encryption key',
  usage: `
Usage: {program} keygen

  Prints a new random 32-byte key, base 64, for the agents' "encrypt" option.
`,
  flags: {},
  run: async ({ io }) => {
    print(io, randomBytes(KEY_BYTES).toString('base64'));
    return EXIT.ok;
  },
});
