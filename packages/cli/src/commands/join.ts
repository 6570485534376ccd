import { CommandFailure, defineApiCommand, messageOf } from '../framework/command.ts';
import { EXIT } from '../framework/exit-codes.ts';
import { booleanFlag } from '../framework/flag-types.ts';
import { partitionFlag } from '../framework/http-flags.ts';
import { print, printError } from '../framework/io.ts';

export const command = defineApiCommand({
  synopsis: 'Tell the agent to join a cluster',
  usage: `
Usage: {program} join [options] ADDRESS...

  Makes the running agent join the cluster of the members at these addresses.
`,
  flags: { ...partitionFlag, wan: booleanFlag('Join the WAN pool: between servers of different datacenters.') },
  run: async ({ flags, args, io, help, client }) => {
    if (args.length === 0) throw new CommandFailure(`At least one address to join must be specified.\n\n${help}`);
    const { agent } = client();
    let joined = 0;
    for (const address of args) {
      try {
        await agent.join(address, flags.wan);
        joined++;
      } catch (error) {
        printError(io, `Error joining address '${address}': ${messageOf(error)}`);
      }
    }
    if (joined === 0) throw new CommandFailure('Failed to join any nodes.');
    print(io, `Successfully joined cluster by contacting ${joined} nodes.`);
    return EXIT.ok;
  },
});
