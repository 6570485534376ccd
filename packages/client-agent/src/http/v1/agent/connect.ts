import { evaluateIntention } from '@lictor/mesh';
import { maybeParseSpiffeId } from '@lictor/pki';
import { connectAuthorizeRequest, LictorError } from '@lictor/protocol';
import type { RuntimeConfig } from '../../../contracts/index.ts';
import type { ApiDeps } from '../../deps.ts';
import { encodeJson } from '../../reply/encode-json.ts';
import { jsonReply, metaHeaders, type Reply } from '../../reply/reply.ts';
import type { ApiRequest } from '../../request/api-request.ts';
import { refuseNamespace } from '../../request/enterprise.ts';
import { readJsonBody } from '../../request/json-body.ts';
import { badRequest, cacheOptions, parseReadParameters } from '../../request/read-options.ts';
import { requireAccess } from '../../routing/authorize.ts';
import { acl, type Route } from '../../routing/route.ts';
import { caRootsView, leafView } from '../../views/connect.ts';
import { cacheHeaders } from '../read.ts';

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

async function authorizeConnection(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  refuseNamespace(request);
  const body = await readJsonBody(request, connectAuthorizeRequest, { goStruct: 'ConnectAuthorizeRequest' });
  if (body.Target === '') throw badRequest('Target service must be specified');
  const id = maybeParseSpiffeId(body.ClientCertURI);
  if (id === undefined) throw badRequest('ClientCertURI not a valid Connect identifier');
  if (id.kind !== 'service') throw badRequest('ClientCertURI not a valid Service identifier');
  if (request.config.aclEnabled) await requireAccess(request, deps, 'service', 'write', body.Target);
  const { token, datacenter } = request;
  const matched = await deps.cache.get('Intention.Match', { by: 'destination', names: [body.Target] }, { token, datacenter });
  const decision = evaluateIntention({
    source: { name: id.service },
    destination: body.Target,
    intentions: matched.value[0] ?? [],
    ...defaultPolicy(request.config),
  });
  const answer = encodeJson({ Authorized: decision.verdict === 'allow', Reason: decision.reason }, request.indent);
  return jsonReply(answer, cacheHeaders(matched));
}

export function defaultPolicy(config: RuntimeConfig): {
  readonly defaultVerdict: 'allow' | 'deny';
  readonly defaultOrigin: 'intention-policy' | 'acl';
} {
  if (config.defaultIntentionPolicy !== '') return { defaultVerdict: config.defaultIntentionPolicy, defaultOrigin: 'intention-policy' };
  return { defaultVerdict: config.aclDefaultPolicy, defaultOrigin: 'acl' };
}

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
