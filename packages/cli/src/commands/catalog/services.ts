import type { LictorClient, QueryOptions } from '@lictor/sdk';
import { CommandFailure, defineApiCommand, failing } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { booleanFlag, mapFlag, stringFlag } from '../../framework/flag-types.ts';
import { consistencyOf, serverFlags, tenancyFlags } from '../../framework/http-flags.ts';
import { print, printError } from '../../framework/io.ts';
import { tabulate } from '../../text/columns.ts';

const TAG_GAP = 6;

export const command = defineApiCommand({
  synopsis: 'Lists all registered services in a datacenter',
  usage: `
Usage: {program} catalog services [options]

  Lists the names of the services of a datacenter.

      $ {program} catalog services -tags
      $ {program} catalog services -node=web-1
`,
  flags: {
    ...serverFlags,
    ...tenancyFlags,
    node: stringFlag('Only services of this node, by id or name.', '', 'node'),
    'node-meta': mapFlag('Only services on nodes with this metadata. May be given more than once.'),
    tags: booleanFlag("Show every service's tags."),
  },
  run: async ({ flags, args, io, client }) => {
    if (args.length > 0) throw new CommandFailure(`Too many arguments (expected 0, got ${args.length})`);
    const tagsByName = await listServices(client(), flags.node, { nodeMeta: flags['node-meta'], ...consistencyOf(flags) });
    if (tagsByName.size === 0) {
      printError(io, 'No services match the given query - try expanding your search.');
      return EXIT.ok;
    }
    const names = [...tagsByName.keys()].sort();
    if (!flags.tags) for (const name of names) print(io, name);
    else
      print(io, tabulate(names.map((name) => `${name}\t${(tagsByName.get(name) ?? []).toSorted().join(',')}\n`).join(''), TAG_GAP).trim());
    return EXIT.ok;
  },
});

async function listServices({ catalog }: LictorClient, node: string, query: QueryOptions): Promise<Map<string, readonly string[]>> {
  if (node === '') {
    const { value } = await failing('Error listing services', () => catalog.services(query));
    return new Map(Object.entries(value));
  }
  const { value } = await failing('Error listing services for node', () => catalog.node(node, query));
  const services = new Map<string, readonly string[]>();
  for (const { Service, Tags } of Object.values(value?.Services ?? {}))
    services.set(Service, [...(services.get(Service) ?? []), ...(Tags ?? [])]);
  return services;
}
