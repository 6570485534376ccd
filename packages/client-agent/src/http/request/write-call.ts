import type { CallOptions, RpcRequest, RpcValue, WriteMethod } from '@lictor/protocol';
import type { ApiDeps } from '../deps.ts';
import type { ApiRequest } from './api-request.ts';

/** Who asks, and where it goes. */
export function writeCall(request: ApiRequest): CallOptions {
  return { token: request.token, datacenter: request.datacenter };
}

/** Has the servers write; the reply will say at which index, so that its reader can ask any server for no less. */
export async function write<M extends WriteMethod>(
  method: M,
  rpcRequest: RpcRequest<M>,
  request: ApiRequest,
  deps: ApiDeps,
  options: CallOptions = writeCall(request),
): Promise<RpcValue<M>> {
  const reply = await deps.server.call(method, rpcRequest, options);
  if ('index' in reply) request.appliedIndex = reply.index;
  return reply.value as RpcValue<M>;
}
