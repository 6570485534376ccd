import { LictorError, type Node, type ServiceInstance, type ServiceQuery } from '@lictor/protocol';
import { foldName } from '../../../state/tables/keys.ts';
import { nodeKey, nodesTable } from '../../../state/tables/nodes.ts';
import { servicesTable } from '../../../state/tables/services.ts';
import type { StateReader } from '../../../state/types.ts';
import type { ReadContext } from '../../types.ts';
import { mayReadInstance, visible } from './acl.ts';
import { hasNodeMeta } from './node-meta.ts';
import { hasTags } from './tags.ts';

/**
 * The instances that a query by service name asks for and its caller may see, by node and id. With `connect`, those that stand for
 * the service in the mesh. Peers and ingress gateways have none yet.
 */
export function findInstances(reader: StateReader, query: ServiceQuery, context: ReadContext): readonly ServiceInstance[] {
  if (query.service === '') throw new LictorError('rejected', 'Must provide service name');
  const isRemote = query.peer !== undefined && query.peer !== '';
  if (isRemote || query.ingress === true) return [];
  const { authorizer } = context;
  if (query.connect === true && !authorizer.allows('service', query.service, 'read')) return [];

  const instances: ServiceInstance[] = [];
  for (const service of reader.find(servicesTable, query.connect === true ? 'connect' : 'service', foldName(query.service))) {
    if (!hasTags(service.Tags, query.tags)) continue;
    const node = readNode(reader, service.Node);
    if (node !== undefined && hasNodeMeta(node, query.nodeMeta)) instances.push({ node, service });
  }
  return visible(context, instances, ({ node, service }) => mayReadInstance(authorizer, node.Node, service.Service));
}

function readNode(reader: StateReader, name: string): Node | undefined {
  return reader.get(nodesTable, nodeKey(name));
}
