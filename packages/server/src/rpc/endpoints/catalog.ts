import { LictorError, type Node, type NodeService, type ServiceInstance } from '@lictor/protocol';
import { CATALOG_DEREGISTER, type DeregisterBody } from '../../fsm/commands/catalog.ts';
import { findNodeById } from '../../fsm/catalog/nodes.ts';
import { checkKey, checksTable } from '../../state/tables/checks.ts';
import { foldName, keyPrefix } from '../../state/tables/keys.ts';
import { nodesTable } from '../../state/tables/nodes.ts';
import { type ServiceRow, serviceKey, servicesTable } from '../../state/tables/services.ts';
import type { StateReader } from '../../state/types.ts';
import type { ReadEndpoint, ReadEndpoints, WriteContext, WriteEndpoint, WriteEndpoints } from '../types.ts';
import { mayReadInstance, requireAccess, visible } from './shared/acl.ts';
import { nodeFilter, nodeServiceFilter, serviceInstanceFilter } from './shared/filter.ts';
import { findGatewayServices } from './shared/gateway-links.ts';
import { findInstances } from './shared/instances.ts';
import { measure } from './shared/measure.ts';
import { createCentralConfigMerge } from './shared/merge-central-config.ts';
import { sortByDistance } from './shared/near.ts';
import { hasNodeMeta, wantsNodeMeta } from './shared/node-meta.ts';
import { register } from './shared/register.ts';

const listNodes: ReadEndpoint<'Catalog.ListNodes'> = (reader, request, context) => {
  const matches = nodeFilter(request.filter);
  const nodes = [...reader.scan(nodesTable)].filter((node) => hasNodeMeta(node, request.nodeMeta));
  const readable = visible(context, nodes, (node) => context.authorizer.allows('node', node.Node, 'read'));
  return sortByDistance(reader, request.near, readable.filter(matches), (node) => node.Node);
};

const listServices: ReadEndpoint<'Catalog.ListServices'> = (reader, request, context) => {
  const matches = serviceInstanceFilter(request.filter);
  const { authorizer } = context;
  const rows = [...reader.scan(servicesTable)];
  const readable = visible(context, rows, (row) => mayReadInstance(authorizer, row.Node, row.Service));
  const needsNodes = wantsNodeMeta(request.nodeMeta) || (request.filter ?? '') !== '';
  if (!needsNodes) return tagsByName(readable);
  const nodes = new Map<string, Node>();
  for (const node of reader.scan(nodesTable)) nodes.set(node.Node, node);
  const isWanted = (service: ServiceRow): boolean => {
    const node = nodes.get(service.Node);
    return node !== undefined && hasNodeMeta(node, request.nodeMeta) && matches({ node, service });
  };
  return tagsByName(readable.filter(isWanted));
};

/** Names in order, each with the union of its instances' tags in order. Most services have the same tags everywhere. */
function tagsByName(rows: readonly ServiceRow[]): Readonly<Record<string, readonly string[]>> {
  const tags = new Map<string, readonly string[] | Set<string>>();
  for (const row of rows) {
    const known = tags.get(row.Service);
    if (known === undefined) tags.set(row.Service, row.Tags);
    else if (known instanceof Set) row.Tags.forEach((tag) => known.add(tag));
    else if (!row.Tags.every((tag) => known.includes(tag))) tags.set(row.Service, new Set([...known, ...row.Tags]));
  }
  const answer = Object.create(null) as Record<string, readonly string[]>;
  for (const name of [...tags.keys()].sort()) answer[name] = [...new Set(tags.get(name))].sort();
  return answer;
}

const serviceNodes: ReadEndpoint<'Catalog.ServiceNodes'> = (reader, request, context) => {
  const matches = serviceInstanceFilter(request.filter);
  const found = findInstances(reader, request, context);
  const instances = request.mergeCentralConfig === true ? mergeAll(reader, found) : found;
  return sortByDistance(reader, request.near, instances.filter(matches), ({ node }) => node.Node);
};

function mergeAll(reader: StateReader, instances: readonly ServiceInstance[]): readonly ServiceInstance[] {
  const merge = createCentralConfigMerge(reader);
  return instances.map(({ node, service }) => ({ node, service: merge(service) }));
}

/** By name, or by id when no node has that name. */
const nodeServices: ReadEndpoint<'Catalog.NodeServices'> = (reader, request, context) => {
  if (request.node === '') throw new LictorError('rejected', 'Must provide node');
  const matches = nodeServiceFilter(request.filter);
  const node = findNode(reader, request.node);
  if (node === undefined) return null;
  const { authorizer } = context;
  if (!authorizer.allows('node', node.Node, 'read')) {
    context.noteFiltered();
    return null;
  }
  const rows = [...reader.scan(servicesTable, keyPrefix(node.Node))];
  const merge = request.mergeCentralConfig === true ? createCentralConfigMerge(reader) : undefined;
  const services = Object.create(null) as Record<string, NodeService>;
  for (const row of visible(context, rows, ({ Service: name }) => authorizer.allows('service', name, 'read'))) {
    const service = merge === undefined ? row : merge(row);
    if (matches(service)) services[service.ID] = service;
  }
  return { Node: node, Services: services };
};

/** What an unknown node's answer is labelled with is the index at which a node last vanished: the `name` index has it. */
function findNode(reader: StateReader, nameOrId: string): Node | undefined {
  for (const node of reader.find(nodesTable, 'name', foldName(nameOrId))) return node;
  return findNodeById(reader, nameOrId);
}

/** What a gateway's own entries lead to; whoever may read the gateway sees the services that it may read too. */
const gatewayServices: ReadEndpoint<'Catalog.GatewayServices'> = (reader, request, context) => {
  const { authorizer } = context;
  requireAccess(authorizer, 'service', request.gateway, 'read');
  const links = findGatewayServices(reader, request.gateway);
  return visible(context, links, (link) => authorizer.allows('service', link.Service.Name, 'read'));
};

/**
 * Removes an instance, a check or a node. Node:write suffices for all; else the rule of the thing itself.
 * Unknown things are gone already, but only who may write the node learns so.
 */
const deregister: WriteEndpoint<'Catalog.Deregister'> = async (request, context) => {
  if (request.Node === '') throw new LictorError('rejected', 'Must provide node');
  const isElsewhere = request.Datacenter !== '' && request.Datacenter !== context.datacenter;
  if (isElsewhere) throw new LictorError('no-path-to-datacenter', 'No path to datacenter');
  if (!context.authorizer.allows('node', request.Node, 'write')) authorizeParts(context, request.Node, request.ServiceID, request.CheckID);
  const body: DeregisterBody = { node: request.Node, serviceId: request.ServiceID, checkId: request.CheckID };
  const { index } = await context.propose(CATALOG_DEREGISTER, body);
  return { index, value: undefined };
};

function authorizeParts(context: WriteContext, node: string, serviceId: string, checkId: string): void {
  const { authorizer } = context;
  const reader = context.reader();
  if (serviceId !== '') {
    const service = reader.get(servicesTable, serviceKey(node, serviceId));
    if (service === undefined) throw new LictorError('rejected', `Unknown service ID '${serviceId}'`);
    requireAccess(authorizer, 'service', service.Service, 'write');
    return;
  }
  if (checkId === '') return requireAccess(authorizer, 'node', node, 'write');
  const check = reader.get(checksTable, checkKey(node, checkId));
  if (check === undefined) throw new LictorError('rejected', `Unknown check ID '${checkId}'`);
  if (check.ServiceID === '') requireAccess(authorizer, 'node', node, 'write');
  else requireAccess(authorizer, 'service', check.ServiceName, 'write');
}

export const catalogReads = {
  'Catalog.ListNodes': listNodes,
  'Catalog.ListServices': listServices,
  'Catalog.ServiceNodes': serviceNodes,
  'Catalog.NodeServices': nodeServices,
  'Catalog.GatewayServices': gatewayServices,
} satisfies ReadEndpoints;

export const catalogWrites = {
  'Catalog.Register': (request, context) => measure(context, 'catalog.register', () => register(request, context)),
  'Catalog.Deregister': (request, context) => measure(context, 'catalog.deregister', () => deregister(request, context)),
} satisfies WriteEndpoints;
