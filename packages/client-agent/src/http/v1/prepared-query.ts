import { isIP } from 'node:net';
import { LictorError, preparedQueryDefinition, type PreparedQueryDefinition, type PreparedQueryExecuteRequest } from '@lictor/protocol';
import type { ApiDeps } from '../deps.ts';
import { encodeJson } from '../reply/encode-json.ts';
import { catalogMetaHeaders, EMPTY_REPLY, jsonReply, type Reply } from '../reply/reply.ts';
import type { ApiRequest } from '../request/api-request.ts';
import { parseGoBoolean } from '../request/boolean.ts';
import { decodeFailed, decodeJson, parseJson, readJsonBody, readJsonBytes } from '../request/json-body.ts';
import { parseReadParameters, readCall, toCallOptions } from '../request/read-options.ts';
import { write } from '../request/write-call.ts';
import { acl, type HttpMethod, type Route } from '../routing/route.ts';
import { encodeExecution, explanationJson, preparedQueriesView, preparedQueryJson } from '../views/prepared-query.ts';
import { catalogReply, readThroughCache, withFailedMeta } from './read.ts';

/** /v1/query (consul-facts H120-H126). */
export const preparedQueryRoutes: readonly Route[] = [
  { method: 'GET', path: '/v1/query', acl: acl.server('query', 'read'), handle: list },
  { method: 'POST', path: '/v1/query', acl: acl.server('query', 'write'), handle: create },
  { method: 'GET', path: '/v1/query/', acl: acl.server('query', 'read'), methodsOf, handle: getExecuteOrExplain },
  { method: 'PUT', path: '/v1/query/', acl: acl.server('query', 'write'), methodsOf, handle: update },
  { method: 'DELETE', path: '/v1/query/', acl: acl.server('query', 'write'), methodsOf, handle: remove },
];

const BODY = { goStruct: 'PreparedQuery', goType: 'structs.PreparedQuery' } as const;
const MAX_INT64 = 2n ** 63n - 1n;

async function list(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const { value, meta } = await withFailedMeta(deps.server.call('PreparedQuery.List', {}, readCall(request)));
  return jsonReply(await preparedQueriesView(value, request.indent), catalogMetaHeaders(meta));
}

async function create(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const id = await write('PreparedQuery.Create', await readJsonBody(request, preparedQueryDefinition, BODY), request, deps);
  return jsonReply(encodeJson({ ID: id }, request.indent));
}

interface Called {
  readonly verb: 'execute' | 'explain' | undefined;
  readonly idOrName: string;
}

/** What is done is the path's last word; before it there is an id, or a name with slashes in it or without. */
function parseCall(rest: string): Called {
  const [, idOrName = '', verb = ''] = /^(.*?)\/(execute|explain)$/s.exec(rest) ?? [];
  if (verb === 'execute' || verb === 'explain') return { verb, idOrName };
  // Consul takes the word itself for the name then.
  return rest === 'execute' || rest === 'explain' ? { verb: rest, idOrName: rest } : { verb: undefined, idOrName: rest };
}

function methodsOf(rest: string): readonly HttpMethod[] {
  return parseCall(rest).verb === undefined ? ['GET', 'PUT', 'DELETE'] : ['GET'];
}

function getExecuteOrExplain(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const { verb, idOrName } = parseCall(request.rest);
  if (verb === 'execute') return execute(idOrName, request, deps);
  return verb === 'explain' ? explain(idOrName, request, deps) : get(request, deps);
}

async function get(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const options = readCall(request);
  const { value, meta } = await withFailedMeta(deps.server.call('PreparedQuery.Get', { id: request.rest }, options));
  return jsonReply(encodeJson([preparedQueryJson(value)], request.indent), catalogMetaHeaders(meta));
}

async function execute(idOrName: string, request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const parameters = parseReadParameters(request);
  const asked = executeRequest(idOrName, request);
  // One kept answer serves everybody who asks in the same words: it cannot be near to each.
  const wanted = parameters.useCache ? { ...asked, ip: '' } : asked;
  const result = await withFailedMeta(readThroughCache('PreparedQuery.Execute', wanted, request, deps, parameters));
  return catalogReply(result, await encodeExecution(result.value, result.meta, request.indent));
}

async function explain(idOrName: string, request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const options = toCallOptions(request, parseReadParameters(request));
  const asked = executeRequest(idOrName, request);
  const { value, meta } = await withFailedMeta(deps.server.call('PreparedQuery.Explain', asked, options));
  return jsonReply(encodeJson(explanationJson(value, meta), request.indent), catalogMetaHeaders(meta));
}

/** A body of no bytes is a query without anything in it, which then lacks a name. */
async function update(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const body = await readJsonBytes(request);
  const sent = decodeJson(body.length === 0 ? {} : parseJson(body, decodeFailed), preparedQueryDefinition, BODY, decodeFailed);
  const query: PreparedQueryDefinition = { ...sent, ID: request.rest };
  await write('PreparedQuery.Update', query, request, deps);
  return EMPTY_REPLY;
}

async function remove(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  await write('PreparedQuery.Delete', { id: request.rest }, request, deps);
  return EMPTY_REPLY;
}

function executeRequest(idOrName: string, request: ApiRequest): PreparedQueryExecuteRequest {
  const { query, config } = request;
  return {
    idOrName,
    limit: parseLimit(query.get('limit')),
    connect: parseConnect(query.get('connect')),
    near: query.get('near'),
    ip: callerIp(request),
    agent: { node: config.nodeName, datacenter: config.datacenter, segment: '' },
  };
}

/** Go's `strconv.Atoi`. */
function parseLimit(text: string): number {
  if (text === '') return 0;
  const problem = (reason: string): LictorError =>
    new LictorError('rejected', `Bad limit: strconv.Atoi: parsing ${JSON.stringify(text)}: ${reason}`);
  if (!/^[+-]?\d+$/.test(text)) throw problem('invalid syntax');
  const limit = BigInt(text.replace(/^\+/, ''));
  if (limit > MAX_INT64 || limit < -MAX_INT64 - 1n) throw problem('value out of range');
  return limit > 0n && limit <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(limit) : 0;
}

function parseConnect(text: string): boolean {
  const connect = text === '' ? false : parseGoBoolean(text);
  if (connect !== undefined) return connect;
  throw new LictorError('rejected', `Error parsing 'connect' value: strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
}

/** It only orders the answer, so a proxy's word for it is good enough. */
function callerIp(request: ApiRequest): string {
  const [first = ''] = request.header('x-forwarded-for').split(',');
  const forwarded = first.trim();
  return isIP(forwarded) === 0 ? withoutMapping(request.message.socket.remoteAddress ?? '') : forwarded;
}

/** IPv4 on a socket of both families. */
function withoutMapping(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/, '');
}
