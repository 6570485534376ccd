import { LictorError, type Node, type ServiceInstance, type ServiceQuery } from '@lictor/protocol';
import { foldName } from '../../../state/tables/keys.ts';
import { nodeKey, nodesTable } from '../../../state/tables/nodes.ts';
import { type ServiceRow, servicesTable } from '../../../state/tables/services.ts';
import type { StateReader } from '../../../state/types.ts';
import type { ReadContext } from '../../types.ts';
import { mayReadInstance, visible } from './acl.ts';
import { findGatewaysOf } from './gateway-links.ts';
import { hasNodeMeta } from './node-meta.ts';
import { hasTags } from './tags.ts';

/**
 * The instances that a query by service name asks for and its caller may see. With `connect`, those that stand for the service in the
 * mesh: its proxies and native instances by node and id, then the terminating gateways that lead to it. With `ingress`, the ingress
 * gateways that lead to it. Peers have none yet.
 */
export function findInstances(reader: StateReader, query: ServiceQuery, context: ReadContext): readonly ServiceInstance[] {
  if (query.service === '') throw new LictorError('rejected', 'Must provide service name');
  if (query.peer !== undefined && query.peer !== '') return [];
  const { authorizer } = context;
  const isMesh = query.connect === true || query.ingress === true;
  if (isMesh && !authorizer.allows('service', query.service, 'read')) return [];

  const instances: ServiceInstance[] = [];
  for (const service of findRows(reader, query)) {
    if (!hasTags(service.Tags, query.tags)) continue;
    const node = readNode(reader, service.Node);
    if (node !== undefined && hasNodeMeta(node, query.nodeMeta)) instances.push({ node, service });
  }
  return visible(context, instances, ({ node, service }) => mayReadInstance(authorizer, node.Node, service.Service));
}

function* findRows(reader: StateReader, { service, connect, ingress }: ServiceQuery): Iterable<ServiceRow> {
  if (ingress !== true) yield* reader.find(servicesTable, connect === true ? 'connect' : 'service', foldName(service));
  const kind = ingress === true ? 'ingress-gateway' : 'terminating-gateway';
  if (ingress !== true && connect !== true) return;
  for (const gateway of findGatewaysOf(reader, kind, service)) yield* reader.find(servicesTable, 'service', foldName(gateway));
}

function readNode(reader: StateReader, name: string): Node | undefined {
  return reader.get(nodesTable, nodeKey(name));
}
