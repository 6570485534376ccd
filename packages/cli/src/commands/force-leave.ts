import { CommandFailure, defineApiCommand, failing } from '../framework/command.ts';
import { EXIT } from '../framework/exit-codes.ts';
import { booleanFlag } from '../framework/flag-types.ts';
import { partitionFlag } from '../framework/http-flags.ts';

export const command = defineApiCommand({
  synopsis: 'Forces a member of the cluster to enter the "left" state',
  usage: `
Usage: {program} force-leave [options] NODE

  Declares a member gone. Meant for nodes that failed and will not come back; a
  member that is alive after all joins again.
`,
  flags: {
    ...partitionFlag,
    prune: booleanFlag('Remove the node from the list of members altogether.'),
    wan: booleanFlag('Only in the WAN pool.'),
  },
  run: async ({ flags, args, help, client }) => {
    const [node] = args;
    if (node === undefined || args.length !== 1)
      throw new CommandFailure(`A single node name must be specified to force leave.\n\n${help}`);
    await failing('Error force leaving', () => client().agent.forceLeave(node, { prune: flags.prune, wan: flags.wan }));
    return EXIT.ok;
  },
});
