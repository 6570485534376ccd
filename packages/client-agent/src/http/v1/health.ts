import type { CheckStatus, ServiceQuery } from '@lictor/protocol';
import type { ApiDeps } from '../deps.ts';
import { catalogMetaHeaders, jsonReply, type Reply } from '../reply/reply.ts';
import { parseGoBoolean } from '../request/boolean.ts';
import type { ApiRequest } from '../request/api-request.ts';
import { refuseNamespace } from '../request/enterprise.ts';
import { badRequest, parseReadParameters, readCall } from '../request/read-options.ts';
import { acl, type Route } from '../routing/route.ts';
import { healthServiceView } from '../views/catalog.ts';
import { checksView } from '../views/check.ts';
import { catalogFilter, serviceQuery } from './catalog-parameters.ts';
import { catalogReply, readThroughCache } from './read.ts';

/** /v1/health (consul-facts H078-H083). */
export const healthRoutes: readonly Route[] = [
  { method: 'GET', path: '/v1/health/node/', acl: acl.server('node', 'read'), handle: nodeChecks },
  { method: 'GET', path: '/v1/health/checks/', acl: acl.server('service', 'read'), handle: serviceChecks },
  { method: 'GET', path: '/v1/health/state/', acl: acl.server('node', 'read'), handle: checksInState },
  {
    method: 'GET',
    path: '/v1/health/service/',
    acl: acl.server('service', 'read'),
    handle: (request, deps) => instances(request, deps, {}),
  },
  {
    method: 'GET',
    path: '/v1/health/connect/',
    acl: acl.server('service', 'read'),
    handle: (request, deps) => instances(request, deps, { connect: true }),
  },
  {
    method: 'GET',
    path: '/v1/health/ingress/',
    acl: acl.server('service', 'read'),
    handle: (request, deps) => instances(request, deps, { ingress: true }),
  },
];

async function nodeChecks(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  refuseNamespace(request);
  const options = readCall(request);
  if (request.rest === '') throw badRequest('Missing node name');
  const { value, meta } = await deps.server.call('Health.NodeChecks', { ...catalogFilter(request), node: request.rest }, options);
  return jsonReply(await checksView(value, request.indent), catalogMetaHeaders(meta));
}

async function serviceChecks(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  refuseNamespace(request);
  const options = readCall(request);
  if (request.rest === '') throw badRequest('Missing service name');
  const { value, meta } = await deps.server.call('Health.ServiceChecks', { ...catalogFilter(request), service: request.rest }, options);
  return jsonReply(await checksView(value, request.indent), catalogMetaHeaders(meta));
}

async function checksInState(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  refuseNamespace(request);
  const options = readCall(request);
  if (request.rest === '') throw badRequest('Missing check state');
  // An unknown state matches nothing; Consul does not refuse it.
  const state = request.rest as CheckStatus | 'any';
  const { value, meta } = await deps.server.call('Health.ChecksInState', { ...catalogFilter(request), state }, options);
  return jsonReply(await checksView(value, request.indent), catalogMetaHeaders(meta));
}

async function instances(request: ApiRequest, deps: ApiDeps, kind: Pick<ServiceQuery, 'connect' | 'ingress'>): Promise<Reply> {
  refuseNamespace(request);
  const parameters = parseReadParameters(request);
  if (request.rest === '') throw badRequest('Missing service name');
  const query = { ...serviceQuery(request, request.rest), ...kind, ...(parsePassing(request) ? { passingOnly: true } : {}) };
  const result = await readThroughCache('Health.ServiceNodes', query, request, deps, parameters);
  return catalogReply(result, await healthServiceView(result.value, request.indent));
}

/** `?passing` alone means yes; `?passing=false` is a choice too. */
function parsePassing(request: ApiRequest): boolean {
  if (!request.query.has('passing')) return false;
  const text = request.query.get('passing');
  const passing = text === '' ? true : parseGoBoolean(text);
  if (passing === undefined) throw badRequest('Invalid value for ?passing');
  return passing;
}
