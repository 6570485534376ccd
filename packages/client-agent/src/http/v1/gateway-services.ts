import type { ApiDeps } from '../deps.ts';
import { encodeJson } from '../reply/encode-json.ts';
import { catalogMetaHeaders, jsonReply, type Reply } from '../reply/reply.ts';
import type { ApiRequest } from '../request/api-request.ts';
import { refuseNamespace } from '../request/enterprise.ts';
import { badRequest, readCall } from '../request/read-options.ts';
import { acl, type Route } from '../routing/route.ts';

/** GET /v1/catalog/gateway-services/:gateway (consul-facts H077): what the gateway's configuration entries link to it. */
export const gatewayServicesRoutes: readonly Route[] = [
  { method: 'GET', path: '/v1/catalog/gateway-services/', acl: acl.server('service', 'read'), handle: gatewayServices },
];

async function gatewayServices(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  refuseNamespace(request);
  const options = readCall(request);
  if (request.rest === '') throw badRequest('Missing gateway name');
  const { value, meta } = await deps.server.call('Catalog.GatewayServices', { gateway: request.rest }, options);
  return jsonReply(encodeJson(value, request.indent), catalogMetaHeaders(meta));
}
