import { type ServiceAddress, type ServiceKind, splitHostPort } from '@lictor/protocol';
import type { ServiceRegistration } from '@lictor/sdk';
import { CommandFailure, defineApiCommand, failing } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { integerFlag, listFlag, mapFlag, stringFlag } from '../../framework/flag-types.ts';
import type { FlagValues } from '../../framework/flags.ts';
import { serverFlags, tenancyFlags } from '../../framework/http-flags.ts';
import { print } from '../../framework/io.ts';

const registerFlags = {
  ...serverFlags,
  ...tenancyFlags,
  id: stringFlag("The service's id. Default: its name."),
  name: stringFlag("The service's name."),
  address: stringFlag("The service's address. Default: the node's."),
  port: integerFlag("The service's port."),
  socket: stringFlag('Unix socket that the service listens on, instead of address and port.', '', 'path'),
  meta: mapFlag('Metadata. May be given more than once.'),
  tag: listFlag('A tag. May be given more than once.'),
  'tagged-address': mapFlag('Another address under a name, as name=host:port. May be given more than once.', 'name=host:port'),
  kind: stringFlag("The service's kind, for gateways and proxies."),
} as const;

export const command = defineApiCommand({
  synopsis: 'Register services with the local agent',
  usage: `
Usage: {program} services register [options] [FILE...]

  Registers the services of configuration files (HCL or JSON), or one that the
  flags describe. They stay until they are deregistered.

      $ {program} services register web.json
      $ {program} services register -name=db -port=5432 -tag=primary
`,
  flags: registerFlags,
  run: async ({ flags, args, io, client }) => {
    const described = fromFlags(flags);
    if (args.length === 0 && flags.name === '') throw new CommandFailure('Service registration requires at least one argument or flags.');
    if (args.length > 0 && flags.name !== '') throw new CommandFailure('Service registration requires arguments or -id, not both.');
    const services = args.length > 0 ? await fromFiles(args, io) : [described];
    const { agent } = client();
    for (const service of services) {
      await failing(`Error registering service ${JSON.stringify(service.Name)}`, () => agent.registerService(service));
      print(io, `Registered service: ${service.Name}`);
    }
    return EXIT.ok;
  },
});

/** The configuration loader is large: only those who need it wait for it. */
async function fromFiles(paths: readonly string[], io: Parameters<typeof print>[0]): Promise<readonly ServiceRegistration[]> {
  const { servicesFromFiles } = await import('./definitions.ts');
  const { toRegistration } = await import('./registration.ts');
  return servicesFromFiles(paths, io).map(toRegistration);
}

function fromFlags(flags: FlagValues<typeof registerFlags>): ServiceRegistration {
  const tagged = Object.entries(flags['tagged-address']).map(([name, text]) => [name, parseAddress(text)] as const);
  return {
    Name: flags.name,
    ...(flags.kind === '' ? {} : { Kind: flags.kind as ServiceKind }),
    ...(flags.id === '' ? {} : { ID: flags.id }),
    ...(flags.address === '' ? {} : { Address: flags.address }),
    ...(flags.port === 0 ? {} : { Port: flags.port }),
    ...(flags.socket === '' ? {} : { SocketPath: flags.socket }),
    ...(flags.tag.length === 0 ? {} : { Tags: flags.tag }),
    ...(Object.keys(flags.meta).length === 0 ? {} : { Meta: flags.meta }),
    ...(tagged.length === 0 ? {} : { TaggedAddresses: Object.fromEntries(tagged) }),
  };
}

function parseAddress(text: string): ServiceAddress {
  const parts = splitHostPort(text);
  if (typeof parts === 'string') throw new CommandFailure(`Invalid Tagged Address: ${parts}`);
  if (!/^\d+$/.test(parts.port))
    throw new CommandFailure(`Invalid Tagged Address: strconv.Atoi: parsing ${JSON.stringify(parts.port)}: invalid syntax`);
  return { Address: parts.host, Port: Number(parts.port) };
}
