import { defineApiCommand, failing } from '../framework/command.ts';
import { EXIT } from '../framework/exit-codes.ts';
import { print, printError } from '../framework/io.ts';

export const command = defineApiCommand({
  synopsis: 'Gracefully leaves the cluster and shuts down',
  usage: `
Usage: {program} leave [options]

  Makes the agent leave the cluster in good order and end.
`,
  flags: {},
  run: async ({ args, io, help, client }) => {
    if (args.length > 0) {
      printError(io, `Error found unexpected args: [${args.join(' ')}]`);
      print(io, help);
      return EXIT.failure;
    }
    await failing('Error leaving', () => client().agent.leave());
    print(io, 'Graceful leave complete');
    return EXIT.ok;
  },
});
