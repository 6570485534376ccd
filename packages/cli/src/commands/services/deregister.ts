import { CommandFailure, defineApiCommand, failing } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { stringFlag } from '../../framework/flag-types.ts';
import { serverFlags, tenancyFlags } from '../../framework/http-flags.ts';
import { print } from '../../framework/io.ts';

export const command = defineApiCommand({
  synopsis: 'Deregister services with the local agent',
  usage: `
Usage: {program} services deregister [options] [FILE...]

  Takes away services of the local agent: those of configuration files, or the
  one with this id.

      $ {program} services deregister web.json
      $ {program} services deregister -id=web
`,
  flags: { ...serverFlags, ...tenancyFlags, id: stringFlag("The service's id.") },
  run: async ({ flags, args, io, client }) => {
    if (args.length === 0 && flags.id === '') throw new CommandFailure('Service deregistration requires at least one argument or -id.');
    if (args.length > 0 && flags.id !== '') throw new CommandFailure('Service deregistration requires arguments or -id, not both.');
    const services = args.length > 0 ? (await import('./definitions.ts')).servicesFromFiles(args, io) : [{ ID: flags.id, Name: '' }];
    const { agent } = client();
    for (const { ID, Name } of services) {
      const id = ID || Name;
      if (id === '') continue;
      await failing(`Error deregistering service ${JSON.stringify(Name)}`, () => agent.deregisterService(id));
      print(io, `Deregistered service: ${id}`);
    }
    return EXIT.ok;
  },
});
