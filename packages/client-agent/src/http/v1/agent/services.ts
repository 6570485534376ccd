import { agentServiceFilterType } from '@lictor/mesh';
import { LictorError } from '@lictor/protocol';
import type { EffectiveService } from '../../../contracts/index.ts';
import type { ApiDeps } from '../../deps.ts';
import { encodeJson } from '../../reply/encode-json.ts';
import { jsonReply, type Reply } from '../../reply/reply.ts';
import type { ApiRequest } from '../../request/api-request.ts';
import { refuseNamespace } from '../../request/enterprise.ts';
import { parseWait } from '../../request/read-options.ts';
import { requireAccess } from '../../routing/authorize.ts';
import { acl, type Route } from '../../routing/route.ts';
import { agentServiceJson } from '../../views/agent-service.ts';
import { filterItems } from './filtered.ts';

/** Reading the agent's own services (consul-facts H051-H052). */
export const agentServicesRoutes: readonly Route[] = [
  { method: 'GET', path: '/v1/agent/services', acl: acl.items('service', 'read'), handle: list },
  { method: 'GET', path: '/v1/agent/service/', acl: acl.items('service', 'read'), handle: get },
];

async function list(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  refuseNamespace(request);
  const services = [...deps.services.list().values()].sort((a, b) => (a.ID < b.ID ? -1 : 1));
  const { items, headers } = await filterItems(
    services,
    (authorizer, service) => authorizer.allows('service', service.Service, 'read'),
    agentServiceFilterType,
    request,
    deps,
  );
  const { datacenter } = request.config;
  const body = Object.fromEntries(items.map((service) => [service.ID, agentServiceJson(service, datacenter)]));
  return jsonReply(encodeJson(body, request.indent), headers);
}

/** Blocks on a content hash instead of an index: `?hash=&wait=`. */
async function get(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const { maxWaitMs } = parseWait(request);
  refuseNamespace(request);
  const id = request.rest;
  const hash = request.query.get('hash');
  const found = await deps.services.effective(id, request.token);
  await requireReadable(found, id, request, deps);
  if (found === undefined || hash === '' || hash !== found.contentHash) return reply(found, id, request);
  const changed = await deps.services.waitForChange(id, hash, maxWaitMs, request.token, request.signal);
  await requireReadable(changed, id, request, deps);
  return reply(changed, id, request);
}

async function requireReadable(found: EffectiveService | undefined, id: string, request: ApiRequest, deps: ApiDeps): Promise<void> {
  if (request.config.aclEnabled) await requireAccess(request, deps, 'service', 'read', found?.service.Service ?? id);
}

function reply(found: EffectiveService | undefined, id: string, request: ApiRequest): Reply {
  if (found === undefined) throw new LictorError('not-found', `unknown service ID: ${id}`);
  const body = agentServiceJson(found.service, request.config.datacenter, found.contentHash);
  return jsonReply(encodeJson(body, request.indent), ['X-Consul-Contenthash', found.contentHash]);
}
