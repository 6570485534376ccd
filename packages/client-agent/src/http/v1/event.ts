import type { UserEvent } from '../../contracts/index.ts';
import type { ApiDeps } from '../deps.ts';
import { encodeJson } from '../reply/encode-json.ts';
import { jsonReply, type Reply } from '../reply/reply.ts';
import type { ApiRequest } from '../request/api-request.ts';
import { readBody } from '../request/body.ts';
import { badRequest, parseIndex, parseWait } from '../request/read-options.ts';
import { resolveAuthorizer } from '../routing/authorize.ts';
import { acl, type Route } from '../routing/route.ts';
import { base64 } from '../views/kv.ts';

/** /v1/event (consul-facts H118-H119). Events are named: who may see which is decided per event. */
export const eventRoutes: readonly Route[] = [
  { method: 'PUT', path: '/v1/event/fire/', acl: acl.local('event', 'write', (request) => request.rest), handle: fire },
  { method: 'GET', path: '/v1/event/list', acl: acl.items('event', 'read'), handle: list },
];

/** Far above what one gossip message carries; the events themselves decide what fits (CVE-2025-11375: there was no limit here). */
const PAYLOAD_MAX_BYTES = 65_536;

async function fire(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const { query, rest: name } = request;
  if (name === '') throw badRequest('Missing name');
  const body = await readBody(request.message, PAYLOAD_MAX_BYTES, () => `Request body too large, max size: ${PAYLOAD_MAX_BYTES} bytes.`);
  const wanted = {
    Name: name,
    Payload: body.length === 0 ? null : body,
    NodeFilter: query.get('node'),
    ServiceFilter: query.get('service'),
    TagFilter: query.get('tag'),
  };
  const event = await deps.events.fire(wanted, { token: request.token, datacenter: request.datacenter });
  return jsonReply(encodeJson(eventJson({ ...event, LTime: 0 }), request.indent));
}

async function list(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const { maxWaitMs } = parseWait(request);
  const index = parseIndex(request.query.get('index'));
  const name = request.query.get('name') || undefined;
  if (index > 0n && index === deps.events.index(name)) {
    await deps.events.waitForChange(index, maxWaitMs, name, request.signal);
  }
  const events = await visible(request, deps, deps.events.list(name));
  const current = deps.events.index(name);
  return jsonReply(encodeJson(events.map(eventJson), request.indent), ['X-Consul-Index', String(current > 0n ? current : 1n)]);
}

async function visible(request: ApiRequest, deps: ApiDeps, events: readonly UserEvent[]): Promise<readonly UserEvent[]> {
  const authorizer = await resolveAuthorizer(request.token, request.config.aclEnabled, deps);
  return events.filter((event) => authorizer.allows('event', event.Name, 'read'));
}

function eventJson(event: UserEvent): object {
  return {
    ID: event.ID,
    Name: event.Name,
    Payload: event.Payload === null || event.Payload.length === 0 ? null : base64(event.Payload),
    NodeFilter: event.NodeFilter,
    ServiceFilter: event.ServiceFilter,
    TagFilter: event.TagFilter,
    Version: event.Version,
    LTime: event.LTime,
  };
}
