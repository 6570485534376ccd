import type { ApiDeps } from '../deps.ts';
import { encodeJson } from '../reply/encode-json.ts';
import { EMPTY_REPLY, jsonReply, type Reply } from '../reply/reply.ts';
import type { ApiRequest } from '../request/api-request.ts';
import { refusePartition } from '../request/enterprise.ts';
import { badRequest, readCall } from '../request/read-options.ts';
import { write } from '../request/write-call.ts';
import { acl, type Route } from '../routing/route.ts';

/** /v1/operator/raft (consul-facts H127-H129). */
export const operatorRaftRoutes: readonly Route[] = [
  { method: 'GET', path: '/v1/operator/raft/configuration', acl: acl.server('operator', 'read'), handle: configuration },
  { method: 'DELETE', path: '/v1/operator/raft/peer', acl: acl.server('operator', 'write'), handle: removePeer },
  { method: 'POST', path: '/v1/operator/raft/transfer-leader', acl: acl.server('operator', 'write'), handle: transferLeader },
];

async function configuration(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const { value } = await deps.server.call('Operator.RaftGetConfiguration', {}, readCall(request));
  return jsonReply(encodeJson(value, request.indent));
}

async function removePeer(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const { query } = request;
  if (!query.has('id') && !query.has('address')) {
    throw badRequest("Must specify either ?id with the server's ID or ?address with IP:port of peer to remove");
  }
  if (query.has('id') && query.has('address')) throw badRequest('Must specify only one of ?id or ?address');
  const peer = query.has('id') ? { id: query.get('id') } : { address: query.get('address') };
  await write('Operator.RaftRemovePeer', peer, request, deps);
  return EMPTY_REPLY;
}

async function transferLeader(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  refusePartition(request);
  await write('Operator.RaftTransferLeader', { id: request.query.get('id') }, request, deps);
  return jsonReply(encodeJson({ Success: true }, request.indent));
}
