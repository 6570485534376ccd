import { type HealthCheck, LictorError, type Node, type NodeService, type RegisterRequest } from '@lictor/protocol';
import { CATALOG_REGISTER, type RegisterBody } from '../../../fsm/commands/catalog.ts';
import type { NodeFields } from '../../../fsm/catalog/nodes.ts';
import { NO_PROXY, type ServiceFields } from '../../../fsm/catalog/rows.ts';
import { sameValue } from '../../../fsm/catalog/same-content.ts';
import { isName } from '../../../fsm/catalog/shapes.ts';
import { nodeKey, nodesTable } from '../../../state/tables/nodes.ts';
import { serviceKey, servicesTable } from '../../../state/tables/services.ts';
import type { WriteContext, WriteEndpoint } from '../../types.ts';
import { requireAccess } from './acl.ts';
import { toHealthChecks, toNodeService } from './register-rows.ts';
import { assertNode } from './validate-node.ts';
import { assertService } from './validate-service.ts';

/** PUT /v1/catalog/register: a node with, perhaps, one instance and checks. */
export const register: WriteEndpoint<'Catalog.Register'> = async (request, context) => {
  const body = toRegisterBody(request, context.datacenter);
  authorize(body, request.SkipNodeUpdate, context);
  const { index } = await context.propose(CATALOG_REGISTER, body);
  return { index, value: undefined };
};

/** In Consul's order, so that a request with several faults gets the same text. */
function toRegisterBody(request: RegisterRequest, datacenter: string): RegisterBody {
  refusePeers(request);
  const isElsewhere = request.Datacenter !== '' && request.Datacenter !== datacenter;
  if (isElsewhere) throw new LictorError('no-path-to-datacenter', 'No path to datacenter');
  assertNode(request);
  if (request.Address === '' && !request.SkipNodeUpdate) {
    throw new LictorError('rejected', 'Must provide address if SkipNodeUpdate is not set');
  }
  const service = request.Service === undefined ? undefined : toNodeService(request.Service);
  if (service !== undefined) assertService(service);
  const checks = toHealthChecks(request);
  assertNames(request.Node, service, checks);
  const node: NodeFields = {
    ID: request.ID,
    Node: request.Node,
    Address: request.Address,
    Datacenter: datacenter,
    TaggedAddresses: request.TaggedAddresses,
    Meta: request.NodeMeta,
  };
  return { node, skipNodeUpdate: request.SkipNodeUpdate, checks, ...(service === undefined ? {} : { service: toServiceFields(service) }) };
}

/** Most instances are no proxies: an empty one would be half of the log entry. */
function toServiceFields(service: NodeService): ServiceFields {
  const { Proxy: proxy, CreateIndex: _created, ModifyIndex: _modified, ...fields } = service;
  return service.Kind === '' && sameValue(proxy, NO_PROXY) ? fields : { ...fields, Proxy: proxy };
}

function refusePeers(request: RegisterRequest): void {
  const parts = [request, request.Service, request.Check, ...request.Checks];
  if (parts.some((part) => part !== undefined && part.PeerName !== '')) {
    throw new LictorError('rejected', 'cannot register requests with PeerName in them');
  }
}

/** Composite keys need names without control characters; Consul would accept and then mangle them. */
function assertNames(node: string, service: NodeService | undefined, checks: readonly HealthCheck[]): void {
  const names = [
    node,
    service?.ID ?? '',
    service?.Service ?? '',
    ...checks.flatMap((check) => [check.Node, check.CheckID, check.ServiceID]),
  ];
  const bad = names.find((name) => !isName(name));
  if (bad !== undefined)
    throw new LictorError('invalid-argument', `Invalid name ${JSON.stringify(bad)}: control characters are not allowed`);
}

/**
 * Consul's rules: what exists may be repeated without the right to write it; an id may not be taken from another's service.
 * The state is looked at only where the answer hangs on it: for most callers it does not.
 */
function authorize(body: RegisterBody, skipNodeUpdate: boolean, context: WriteContext): void {
  const { authorizer } = context;
  const { node, service } = body;
  if (service !== undefined) {
    if (service.Service !== 'consul') requireAccess(authorizer, 'service', service.Service, 'write');
    if (service.Kind === 'connect-proxy') requireAccess(authorizer, 'service', service.Proxy?.DestinationServiceName ?? '', 'write');
  }
  if (!authorizer.allows('node', node.Node, 'write')) {
    const known = context.reader().get(nodesTable, nodeKey(node.Node));
    const changesNode = known === undefined || (!skipNodeUpdate && isChanged(known, node));
    if (changesNode) requireAccess(authorizer, 'node', node.Node, 'write');
  }
  if (service !== undefined) {
    requireAccess(authorizer, 'service', service.Service, 'write');
    if (!authorizer.allowsPrefix('service', '', 'write')) refuseTakeover(node.Node, service.ID, context);
  }
  for (const check of body.checks) authorizeCheck(check, body, context);
}

function refuseTakeover(node: string, serviceId: string, context: WriteContext): void {
  const other = context.reader().get(servicesTable, serviceKey(node, serviceId));
  const mayOverwrite = other === undefined || context.authorizer.allows('service', other.Service, 'write');
  if (!mayOverwrite) throw new LictorError('permission-denied', 'Permission denied');
}

function isChanged(known: Node, node: NodeFields): boolean {
  return (
    known.ID !== node.ID ||
    known.Address !== node.Address ||
    !sameValue(known.TaggedAddresses, node.TaggedAddresses) ||
    !sameValue(known.Meta, node.Meta)
  );
}

function authorizeCheck(check: HealthCheck, body: RegisterBody, context: WriteContext): void {
  const node = body.node.Node;
  if (check.Node.toLowerCase() !== node.toLowerCase()) {
    throw new LictorError('rejected', `Node '${check.Node}' for check '${check.CheckID}' doesn't match register request node '${node}'`);
  }
  if (check.ServiceID === '') return requireAccess(context.authorizer, 'node', node, 'write');
  if (body.service?.ID === check.ServiceID) return;
  const other = context.reader().get(servicesTable, serviceKey(node, check.ServiceID));
  if (other === undefined) {
    throw new LictorError('rejected', `Unknown service ID '${check.ServiceID}' for check ID '${check.CheckID}'`);
  }
  requireAccess(context.authorizer, 'service', other.Service, 'write');
}
