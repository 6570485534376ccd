import type { ApiDeps } from '../deps.ts';
import { encodeJson } from '../reply/encode-json.ts';
import { jsonReply, type Reply } from '../reply/reply.ts';
import type { ApiRequest } from '../request/api-request.ts';
import { readCall } from '../request/read-options.ts';
import { acl, type Route } from '../routing/route.ts';

/** /v1/status (consul-facts H139-H140). */
export const statusRoutes: readonly Route[] = [
  { method: 'GET', path: '/v1/status/leader', acl: acl.none, handle: leader },
  { method: 'GET', path: '/v1/status/peers', acl: acl.none, handle: peers },
];

async function leader(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const { value } = await deps.server.call('Status.Leader', {}, readCall(request));
  return jsonReply(encodeJson(value, request.indent));
}

async function peers(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const { value } = await deps.server.call('Status.Peers', {}, readCall(request));
  return jsonReply(encodeJson(value, request.indent));
}
