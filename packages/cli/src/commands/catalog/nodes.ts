import { Buffer } from 'node:buffer';
import type { Node } from '@lictor/protocol';
import type { LictorClient, QueryOptions } from '@lictor/sdk';
import { CommandFailure, defineApiCommand, failing } from '../../framework/command.ts';
import { loadDataSource } from '../../framework/data-source.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { booleanFlag, mapFlag, stringFlag } from '../../framework/flag-types.ts';
import { consistencyOf, partitionFlag, serverFlags } from '../../framework/http-flags.ts';
import { print, printError } from '../../framework/io.ts';
import { columnize } from '../../text/columns.ts';

type NodeRow = Pick<Node, 'ID' | 'Node' | 'Address' | 'Datacenter' | 'TaggedAddresses' | 'Meta'>;

export const command = defineApiCommand({
  synopsis: 'Lists all nodes in the given datacenter',
  usage: `
Usage: {program} catalog nodes [options]

  Lists the nodes of a datacenter.

      $ {program} catalog nodes -detailed
      $ {program} catalog nodes -service=web
      $ {program} catalog nodes -near=_agent
`,
  flags: {
    ...serverFlags,
    ...partitionFlag,
    detailed: booleanFlag('Show full ids, all addresses and the metadata.'),
    filter: stringFlag('Filter expression; @FILE and - are read.', '', 'expression'),
    near: stringFlag("Nearest to this node first; _agent for the agent's own.", '', 'node'),
    'node-meta': mapFlag('Only nodes with this metadata. May be given more than once.'),
    service: stringFlag('Only nodes with an instance of this service.', '', 'name'),
  },
  run: async ({ flags, args, io, client }) => {
    if (args.length > 0) throw new CommandFailure(`Too many arguments (expected 0, got ${args.length})`);
    const filter = await failing('Could not process filter argument', async () =>
      Buffer.from(await loadDataSource(flags.filter, io)).toString('utf8'),
    );
    const query: QueryOptions = { filter, near: flags.near, nodeMeta: flags['node-meta'], ...consistencyOf(flags) };
    const nodes = await listNodes(client(), flags.service, query);
    if (nodes.length === 0) {
      printError(io, 'No nodes match the given query - try expanding your search.');
      return EXIT.ok;
    }
    print(io, columnize(flags.detailed ? detailedTable(nodes) : shortTable(nodes)));
    return EXIT.ok;
  },
});

async function listNodes({ catalog }: LictorClient, service: string, query: QueryOptions): Promise<readonly NodeRow[]> {
  if (service === '') return (await failing('Error listing nodes', () => catalog.nodes(query))).value;
  const { value: instances } = await failing('Error listing nodes for service', () => catalog.service(service, query));
  return instances.map((instance) => ({ ...instance, Meta: instance.NodeMeta }));
}

function shortTable(nodes: readonly NodeRow[]): string[][] {
  const rows = nodes.map(({ Node: name, ID, Address, Datacenter }) => [name, ID.split('-')[0] ?? '', Address, Datacenter]);
  return [['Node', 'ID', 'Address', 'DC'], ...rows];
}

function detailedTable(nodes: readonly NodeRow[]): string[][] {
  const rows = nodes.map((node) => [node.Node, node.ID, node.Address, node.Datacenter, pairs(node.TaggedAddresses), pairs(node.Meta)]);
  return [['Node', 'ID', 'Address', 'DC', 'TaggedAddresses', 'Meta'], ...rows];
}

function pairs(map: Readonly<Record<string, string>> | null): string {
  return Object.keys(map ?? {})
    .sort()
    .map((key) => `${key}=${map?.[key]}`)
    .join(', ');
}
