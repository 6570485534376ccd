import { deregisterRequest, registerRequest } from '@lictor/protocol';
import type { ApiDeps } from '../deps.ts';
import { encodeJson } from '../reply/encode-json.ts';
import { catalogMetaHeaders, jsonReply, type Reply, TRUE_REPLY } from '../reply/reply.ts';
import type { ApiRequest } from '../request/api-request.ts';
import { refuseNamespace, refusePartition } from '../request/enterprise.ts';
import { readJsonBody } from '../request/json-body.ts';
import { badRequest, parseReadParameters, readCall } from '../request/read-options.ts';
import { write } from '../request/write-call.ts';
import { acl, type Route } from '../routing/route.ts';
import { nodeJson, nodeServiceListView, nodeServicesView, nodesView, serviceInstancesView, servicesView } from '../views/catalog.ts';
import { catalogFilter, serviceQuery } from './catalog-parameters.ts';
import { catalogReply, readThroughCache, withFailedMeta } from './read.ts';

/** /v1/catalog (consul-facts H068-H077). */
export const catalogRoutes: readonly Route[] = [
  { method: 'PUT', path: '/v1/catalog/register', acl: acl.server('node', 'write'), handle: register },
  { method: 'PUT', path: '/v1/catalog/deregister', acl: acl.server('node', 'write'), handle: deregister },
  { method: 'GET', path: '/v1/catalog/datacenters', acl: acl.none, handle: datacenters },
  { method: 'GET', path: '/v1/catalog/nodes', acl: acl.server('node', 'read'), handle: nodes },
  { method: 'GET', path: '/v1/catalog/services', acl: acl.server('service', 'read'), handle: services },
  {
    method: 'GET',
    path: '/v1/catalog/service/',
    acl: acl.server('service', 'read'),
    handle: (request, deps) => service(request, deps, false),
  },
  {
    method: 'GET',
    path: '/v1/catalog/connect/',
    acl: acl.server('service', 'read'),
    handle: (request, deps) => service(request, deps, true),
  },
  { method: 'GET', path: '/v1/catalog/node/', acl: acl.server('node', 'read'), handle: node },
  { method: 'GET', path: '/v1/catalog/node-services/', acl: acl.server('node', 'read'), handle: nodeServices },
];

/** Fields of Consul's own types that nothing here needs; clients send what they once read. */
const IGNORED_KEYS = ['Locality', 'ContentHash', 'Datacenter', 'ServiceVirtualIP', 'SidecarService', 'Namespace', 'Partition'];

async function register(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  refuseNamespace(request);
  const body = await readJsonBody(request, registerRequest, { goStruct: 'RegisterRequest', ignoredKeys: IGNORED_KEYS });
  const datacenter = body.Datacenter || request.datacenter;
  await write('Catalog.Register', { ...body, Datacenter: datacenter }, request, deps, { token: request.token, datacenter });
  return TRUE_REPLY;
}

async function deregister(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  refuseNamespace(request);
  const body = await readJsonBody(request, deregisterRequest, { goStruct: 'DeregisterRequest', ignoredKeys: ['Address'] });
  const datacenter = body.Datacenter || request.datacenter;
  await write('Catalog.Deregister', { ...body, Datacenter: datacenter }, request, deps, { token: request.token, datacenter });
  return TRUE_REPLY;
}

async function datacenters(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const { value, cacheHeaders: headers } = await readThroughCache('Catalog.ListDatacenters', {}, request, deps);
  return jsonReply(encodeJson(value, request.indent), headers);
}

async function nodes(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  refusePartition(request);
  const options = readCall(request);
  const { value, meta } = await withFailedMeta(deps.server.call('Catalog.ListNodes', catalogFilter(request), options));
  return jsonReply(await nodesView(value, request.indent), catalogMetaHeaders(meta));
}

async function services(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  refuseNamespace(request);
  const parameters = parseReadParameters(request);
  const result = await withFailedMeta(readThroughCache('Catalog.ListServices', catalogFilter(request), request, deps, parameters));
  return catalogReply(result, await servicesView(result.value, request.indent));
}

async function service(request: ApiRequest, deps: ApiDeps, connect: boolean): Promise<Reply> {
  refuseNamespace(request);
  const parameters = parseReadParameters(request);
  if (request.rest === '') throw badRequest('Missing service name');
  const query = { ...serviceQuery(request, request.rest), ...(connect ? { connect } : {}) };
  const result = await withFailedMeta(readThroughCache('Catalog.ServiceNodes', query, request, deps, parameters));
  return catalogReply(result, await serviceInstancesView(result.value, request.indent));
}

async function node(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  refuseNamespace(request);
  const options = readCall(request);
  if (request.rest === '') throw badRequest('Missing node name');
  const call = deps.server.call('Catalog.NodeServices', { ...catalogFilter(request), node: request.rest }, options);
  const { value, meta } = await withFailedMeta(call);
  return jsonReply(value === null ? 'null' : nodeServicesView(value, request.indent), catalogMetaHeaders(meta));
}

async function nodeServices(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  refuseNamespace(request);
  const options = readCall(request);
  if (request.rest === '') throw badRequest('Missing node name');
  const merge = request.query.has('merge-central-config') ? { mergeCentralConfig: true } : {};
  const query = { ...catalogFilter(request), ...merge, node: request.rest };
  const { value, meta } = await withFailedMeta(deps.server.call('Catalog.NodeServices', query, options));
  if (value !== null && Object.keys(value.Services).length > 0) {
    return jsonReply(nodeServiceListView(value, request.indent), catalogMetaHeaders(meta));
  }
  // Consul makes no list of nothing, but its filter does.
  const none =
    value === null ? { Node: null, Services: null } : { Node: nodeJson(value.Node), Services: request.query.get('filter') ? [] : null };
  return jsonReply(encodeJson(none, request.indent), catalogMetaHeaders(meta));
}
