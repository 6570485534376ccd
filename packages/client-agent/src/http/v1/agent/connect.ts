import { LictorError } from '@lictor/protocol';
import type { ApiDeps } from '../../deps.ts';
import { jsonReply, metaHeaders, type Reply } from '../../reply/reply.ts';
import type { ApiRequest } from '../../request/api-request.ts';
import { refuseNamespace } from '../../request/enterprise.ts';
import { cacheOptions, parseReadParameters } from '../../request/read-options.ts';
import { acl, type Route } from '../../routing/route.ts';
import { caRootsView, leafView } from '../../views/connect.ts';
import { cacheHeaders } from '../read.ts';
import { authorizeConnection } from './authorize.ts';

/** /v1/agent/connect (consul-facts H065-H067): what proxies live on, always from the agent's cache. */
export const agentConnectRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/v1/agent/connect/authorize',
    acl: acl.items('service', 'write'),
    handle: authorizeConnection,
    isRead: true,
  },
  { method: 'GET', path: '/v1/agent/connect/ca/roots', acl: acl.none, handle: roots },
  { method: 'GET', path: '/v1/agent/connect/ca/leaf/', acl: acl.local('service', 'write', (request) => request.rest), handle: leaf },
];

async function roots(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const parameters = parseReadParameters(request);
  const result = await deps.cache.get('ConnectCA.Roots', {}, cacheOptions(request, parameters));
  return jsonReply(caRootsView(result.value, request.indent), [...metaHeaders(result.meta), ...cacheHeaders(result)]);
}

/** Ignores Cache-Control: a leaf is either valid or renewed. */
async function leaf(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  refuseNamespace(request);
  const parameters = parseReadParameters(request);
  if (request.rest === '') throw new LictorError('rejected', 'URI must be either service, agent, server, or kind');
  const { minIndex, maxWaitMs } = parameters;
  const result = await deps.cache.get(
    'ConnectCA.Leaf',
    { service: request.rest },
    {
      token: request.token,
      datacenter: request.datacenter,
      ...(minIndex > 0 ? { minIndex, maxWaitMs, signal: request.signal } : {}),
    },
  );
  const index = String(Math.max(1, result.value.ModifyIndex));
  return jsonReply(leafView(result.value, request.indent), ['X-Consul-Index', index, ...cacheHeaders(result)]);
}
