import { encodeIntention } from '@lictor/mesh';
import { type CallOptions, type Intention, type IntentionRequest, intentionRequest, LictorError } from '@lictor/protocol';
import type { ApiDeps } from '../../deps.ts';
import { encodeJson } from '../../reply/encode-json.ts';
import { catalogMetaHeaders, jsonReply, metaHeaders, type Reply, TRUE_REPLY } from '../../reply/reply.ts';
import type { ApiRequest } from '../../request/api-request.ts';
import { refuseNamespace } from '../../request/enterprise.ts';
import { readJsonBody } from '../../request/json-body.ts';
import { parseReadParameters, readCall } from '../../request/read-options.ts';
import { write } from '../../request/write-call.ts';
import { acl, type Route } from '../../routing/route.ts';
import { intentionsView } from '../../views/intention.ts';
import { readThroughCache } from '../read.ts';
import { onlyParameter, parseServiceName, refuse, sourceAndDestination } from './intention-names.ts';

/** /v1/connect/intentions (consul-facts H098-H107). */
export const intentionRoutes: readonly Route[] = [
  { method: 'GET', path: '/v1/connect/intentions', acl: acl.server('intention', 'read'), handle: list },
  { method: 'POST', path: '/v1/connect/intentions', acl: acl.server('intention', 'write'), handle: create },
  { method: 'GET', path: '/v1/connect/intentions/match', acl: acl.server('intention', 'read'), handle: match },
  { method: 'GET', path: '/v1/connect/intentions/check', acl: acl.server('intention', 'read'), handle: check },
  { method: 'GET', path: '/v1/connect/intentions/exact', acl: acl.server('intention', 'read'), handle: getExact },
  { method: 'PUT', path: '/v1/connect/intentions/exact', acl: acl.server('intention', 'write'), handle: putExact },
  { method: 'DELETE', path: '/v1/connect/intentions/exact', acl: acl.server('intention', 'write'), handle: deleteExact },
  { method: 'GET', path: '/v1/connect/intentions/', acl: acl.server('intention', 'read'), handle: getById },
  { method: 'PUT', path: '/v1/connect/intentions/', acl: acl.server('intention', 'write'), handle: updateById },
  { method: 'DELETE', path: '/v1/connect/intentions/', acl: acl.server('intention', 'write'), handle: deleteById },
];

/** Read-only fields that clients send back with what they read. */
const IGNORED_KEYS = [
  'CreatedAt',
  'UpdatedAt',
  'Hash',
  'CreateIndex',
  'ModifyIndex',
  'DefaultAddr',
  'DefaultPort',
  'SourceSamenessGroup',
  'JWT',
];
const NOT_FOUND = 'Intention not found';

async function list(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const options = readCall(request);
  refuseNamespace(request);
  const filter = request.query.get('filter');
  const { value, meta } = await deps.server.call('Intention.List', filter === '' ? {} : { filter }, options);
  return jsonReply(await intentionsView(value, request.indent), metaHeaders(meta));
}

async function create(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  refuseNamespace(request);
  const fail = (reason: string): LictorError => refuse(`Failed to decode request body: ${reason}`);
  const intention = await readIntention(request, fail);
  const value = await write('Intention.Create', intention, request, deps);
  return jsonReply(encodeJson({ ID: value }, request.indent));
}

async function match(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const parameters = parseReadParameters(request);
  refuseNamespace(request);
  const by = onlyParameter(request, 'by');
  if (by !== 'source' && by !== 'destination') throw refuse("'by' parameter must be one of 'source' or 'destination'");
  const names = request.query.all('name');
  if (names.length === 0) throw refuse("required query parameter 'name' not set");
  const parsed = names.map((name) => parseServiceName(name, 'name', 'Name').name);
  const result = await readThroughCache('Intention.Match', { by, names: parsed }, request, deps, parameters);
  const body = Object.fromEntries(names.map((name, position) => [name, (result.value[position] ?? []).map(encodeIntention)]));
  return jsonReply(encodeJson(body, request.indent), [...catalogMetaHeaders(result.meta), ...result.cacheHeaders]);
}

async function check(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const options = readCall(request);
  refuseNamespace(request);
  const sourceType = request.query.get('source-type');
  const { source, destination } = sourceAndDestination(request);
  const query = { source: source.name, destination: destination.name, ...(sourceType === '' ? {} : { sourceType }) };
  const { value } = await deps.server.call('Intention.Check', query, options);
  return jsonReply(encodeJson({ Allowed: value.allowed }, request.indent));
}

async function getExact(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  refuseNamespace(request);
  const options = readCall(request);
  const { source, destination } = sourceAndDestination(request, { peers: true });
  const { value } = await deps.server.call('Intention.GetExact', { source: source.qualified, destination: destination.name }, options);
  if (value === null) throw new LictorError('not-found', NOT_FOUND);
  return jsonReply(encodeJson(encodeIntention(value), request.indent));
}

async function putExact(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  refuseNamespace(request);
  const { source, destination } = sourceAndDestination(request, { notEmpty: true });
  const intention = await readIntention(request);
  const exact = { source: source.name, destination: destination.name, intention };
  await write('Intention.UpsertExact', exact, request, deps);
  return TRUE_REPLY;
}

async function deleteExact(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  refuseNamespace(request);
  const { source, destination } = sourceAndDestination(request, { notEmpty: true });
  await write('Intention.DeleteExact', { source: source.name, destination: destination.name }, request, deps);
  return TRUE_REPLY;
}

async function getById(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const options = readCall(request);
  const value = await findById(request.rest, deps, options);
  return jsonReply(encodeJson(encodeIntention(value), request.indent));
}

async function findById(id: string, deps: ApiDeps, options: CallOptions): Promise<Intention> {
  const { value } = await deps.server.call('Intention.Get', { id }, options);
  if (value === null) throw new LictorError('not-found', NOT_FOUND);
  return value;
}

async function updateById(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  refuseNamespace(request);
  const intention = await readIntention(request);
  await write('Intention.Update', { id: request.rest, intention }, request, deps);
  return jsonReply(encodeJson({ ID: request.rest }, request.indent));
}

async function deleteById(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  refuseNamespace(request);
  await write('Intention.Delete', { id: request.rest }, request, deps);
  return TRUE_REPLY;
}

async function readIntention(request: ApiRequest, fail?: (reason: string) => LictorError): Promise<IntentionRequest> {
  const options = { goStruct: 'Alias', ignoredKeys: IGNORED_KEYS, ...(fail === undefined ? {} : { fail }) };
  return readJsonBody(request, intentionRequest, options);
}
