import { LictorError, type RaftConfiguration } from '@lictor/protocol';
import type { ApiDeps } from '../deps.ts';
import { encodeJson } from '../reply/encode-json.ts';
import { jsonReply, type Reply } from '../reply/reply.ts';
import type { ApiRequest } from '../request/api-request.ts';
import { badRequest, readCall } from '../request/read-options.ts';
import { acl, type Route } from '../routing/route.ts';

/** /v1/operator/raft (consul-facts H127-H129). */
export const operatorRaftRoutes: readonly Route[] = [
  { method: 'GET', path: '/v1/operator/raft/configuration', acl: acl.server('operator', 'read'), handle: configuration },
  { method: 'DELETE', path: '/v1/operator/raft/peer', acl: acl.operator('write'), handle: removePeer },
  { method: 'POST', path: '/v1/operator/raft/transfer-leader', acl: acl.operator('write'), handle: transferLeader },
];

async function configuration(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  return jsonReply(encodeJson(await readConfiguration(request, deps), request.indent));
}

async function readConfiguration(request: ApiRequest, deps: ApiDeps): Promise<RaftConfiguration> {
  const { value } = await deps.server.call('Operator.RaftGetConfiguration', {}, readCall(request));
  return value;
}

/** The only server cannot be removed: nobody would be left to agree to it. */
async function removePeer(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const id = request.query.get('id');
  const address = request.query.get('address');
  if (id === '' && address === '')
    throw badRequest("Must specify either ?id with the server's ID or ?address with IP:port of peer to remove");
  if (id !== '' && address !== '') throw badRequest('Must specify only one of ?id or ?address');
  const { Servers } = await readConfiguration(request, deps);
  const isKnown = Servers.some((server) => (id === '' ? server.Address === address : server.ID === id));
  const named = id === '' ? `address ${JSON.stringify(address)}` : `id ${JSON.stringify(id)}`;
  if (!isKnown) throw new LictorError('rejected', `${named} was not found in the Raft configuration`);
  throw new LictorError('rejected', 'removing the only voter would leave the cluster without a leader');
}

async function transferLeader(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const id = request.query.get('id');
  const { Servers } = await readConfiguration(request, deps);
  const target = Servers.find((server) => server.Voter && !server.Leader && (id === '' || server.ID === id));
  if (target === undefined) throw new LictorError('rejected', 'cannot find peer');
  throw new LictorError('unavailable', 'leadership cannot be transferred yet');
}
