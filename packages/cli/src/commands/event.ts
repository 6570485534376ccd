import { CommandFailure, defineApiCommand, failing } from '../framework/command.ts';
import { EXIT } from '../framework/exit-codes.ts';
import { stringFlag } from '../framework/flag-types.ts';
import { print } from '../framework/io.ts';
import { compileRegExp } from '../text/regexp.ts';

export const command = defineApiCommand({
  synopsis: 'Fire a new event',
  usage: `
Usage: {program} event [options] -name=NAME [PAYLOAD]

  Sends a user event to the agents of the datacenter, or to those that the
  regular expressions pick.

      $ {program} event -name=deploy -service=web 2026-11-21
`,
  flags: {
    name: stringFlag("The event's name."),
    node: stringFlag('Only nodes whose name matches.', '', 'regexp'),
    service: stringFlag('Only nodes with an instance of a matching service.', '', 'regexp'),
    tag: stringFlag('Only such instances with a matching tag; with -service.', '', 'regexp'),
  },
  run: async ({ flags, args, io, help, client }) => {
    if (flags.name === '') throw new CommandFailure(`Event name must be specified\n\n${help}`);
    for (const kind of ['node', 'service', 'tag'] as const) {
      if (flags[kind] !== '')
        compileRegExp(flags[kind], (reason) => new CommandFailure(`Failed to compile ${kind} filter regexp: ${reason}`));
    }
    if (flags.tag !== '' && flags.service === '') throw new CommandFailure('Cannot provide tag filter without service filter.');
    if (args.length > 1) throw new CommandFailure(`Too many command line arguments.\n\n${help}`);
    const [payload] = args;
    const { agent, event } = client();
    await failing('Error querying Consul agent', () => agent.self());
    const options = { node: flags.node, service: flags.service, tag: flags.tag, ...(payload === undefined ? {} : { payload }) };
    const id = await failing('Error firing event', () => event.fire(flags.name, options));
    print(io, `Event ID: ${id}`);
    return EXIT.ok;
  },
});
