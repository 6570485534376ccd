import { LictorError, type Session, sessionCreateRequest } from '@lictor/protocol';
import type { ApiDeps } from '../deps.ts';
import { encodeJson } from '../reply/encode-json.ts';
import { jsonReply, metaHeaders, type Reply, TRUE_REPLY } from '../reply/reply.ts';
import type { ApiRequest } from '../request/api-request.ts';
import { readBody } from '../request/body.ts';
import { refuseNamespace } from '../request/enterprise.ts';
import { decodeFailed, decodeJson, JSON_BODY_MAX_BYTES, parseJson } from '../request/json-body.ts';
import { badRequest, readCall } from '../request/read-options.ts';
import { write } from '../request/write-call.ts';
import { acl, type Route } from '../routing/route.ts';
import { sessionJson, sessionsView } from '../views/session.ts';

/** /v1/session (consul-facts H112-H117). */
export const sessionRoutes: readonly Route[] = [
  { method: 'PUT', path: '/v1/session/create', acl: acl.server('session', 'write'), handle: create },
  { method: 'PUT', path: '/v1/session/destroy/', acl: acl.server('session', 'write'), handle: destroy },
  { method: 'PUT', path: '/v1/session/renew/', acl: acl.server('session', 'write'), handle: renew },
  { method: 'GET', path: '/v1/session/info/', acl: acl.server('session', 'read'), handle: info },
  { method: 'GET', path: '/v1/session/node/', acl: acl.server('session', 'read'), handle: nodeSessions },
  { method: 'GET', path: '/v1/session/list', acl: acl.server('session', 'read'), handle: list },
];

const SERF_HEALTH = ['serfHealth'];
const DEFAULT_LOCK_DELAY_MS = 15_000;
/** Lock delays below this are whole seconds in numbers, not nanoseconds (docs: session). */
const SECONDS_BELOW_NS = 1_000;

async function create(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  refuseNamespace(request);
  const body = await readBody(request.message, JSON_BODY_MAX_BYTES, () => 'Request body too large');
  const raw = body.length === 0 ? {} : parseJson(body, decodeFailed);
  const sent = decodeJson(secondsToDuration(raw), sessionCreateRequest, { goStruct: 'Alias' }, decodeFailed);
  const value = await write(
    'Session.Create',
    {
      ...sent,
      Node: sent.Node || request.config.nodeName,
      Behavior: sent.Behavior || 'release',
      LockDelay: sent.LockDelay ?? DEFAULT_LOCK_DELAY_MS,
      ...sessionChecks(sent.Checks ?? SERF_HEALTH, sent.NodeChecks ?? SERF_HEALTH),
    },
    request,
    deps,
  );
  return jsonReply(encodeJson({ ID: value }, request.indent));
}

/**
 * Both lists, of which `Checks` is the deprecated one, name the node's own health unless the request says otherwise; an empty list empties the
 * other too (Consul's fixupEmptySessionChecks).
 */
function sessionChecks(checks: readonly string[], nodeChecks: readonly string[]): { Checks: string[]; NodeChecks: string[] } {
  if (checks.length === 0) return { Checks: [], NodeChecks: [] };
  const isDefault = checks.length === 1 && checks[0] === SERF_HEALTH[0];
  return { Checks: isDefault || nodeChecks.length === 0 ? [] : [...checks], NodeChecks: [...nodeChecks] };
}

function secondsToDuration(raw: unknown): unknown {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return raw;
  const entries = Object.entries(raw).map(([key, value]): [string, unknown] => {
    const isDelay = key.toLowerCase() === 'lockdelay' && typeof value === 'number' && value > 0 && value < SECONDS_BELOW_NS;
    return [key, isDelay ? `${value}s` : value];
  });
  return Object.fromEntries(entries);
}

async function destroy(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  refuseNamespace(request);
  await write('Session.Destroy', { id: sessionId(request) }, request, deps);
  return TRUE_REPLY;
}

async function renew(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  refuseNamespace(request);
  const id = sessionId(request);
  const value = await write('Session.Renew', { id }, request, deps);
  if (value === null) throw new LictorError('not-found', `Session id '${id}' not found`);
  return jsonReply(encodeJson([sessionJson(value)], request.indent));
}

async function info(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const options = readCall(request);
  refuseNamespace(request);
  const { value, meta } = await deps.server.call('Session.Get', { id: sessionId(request) }, options);
  const found: readonly Session[] = value === null ? [] : [value];
  return jsonReply(encodeJson(found.map(sessionJson), request.indent), metaHeaders(meta));
}

async function nodeSessions(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const options = readCall(request);
  refuseNamespace(request);
  if (request.rest === '') throw badRequest('Missing node name');
  const { value, meta } = await deps.server.call('Session.NodeSessions', { node: request.rest }, options);
  return jsonReply(await sessionsView(value, request.indent), metaHeaders(meta));
}

async function list(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const options = readCall(request);
  refuseNamespace(request);
  const { value, meta } = await deps.server.call('Session.List', {}, options);
  return jsonReply(await sessionsView(value, request.indent), metaHeaders(meta));
}

function sessionId(request: ApiRequest): string {
  if (request.rest === '') throw badRequest('Missing session');
  return request.rest;
}
