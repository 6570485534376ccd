import type { ApiDeps } from '../../deps.ts';
import { EMPTY_REPLY, type Reply } from '../../reply/reply.ts';
import type { ApiRequest } from '../../request/api-request.ts';
import { refusePartition } from '../../request/enterprise.ts';
import { acl, type Route } from '../../routing/route.ts';
import { parseEnable } from './service.ts';

/** Joining, leaving, reloading and maintenance (consul-facts H042-H046). */
export const agentLifecycleRoutes: readonly Route[] = [
  { method: 'PUT', path: '/v1/agent/join/', acl: acl.agent('write'), handle: join },
  { method: 'PUT', path: '/v1/agent/leave', acl: acl.agent('write'), handle: leave },
  { method: 'PUT', path: '/v1/agent/force-leave/', acl: acl.operator('write'), handle: forceLeave },
  { method: 'PUT', path: '/v1/agent/reload', acl: acl.agent('write'), handle: reload },
  { method: 'PUT', path: '/v1/agent/maintenance', acl: acl.node('write'), handle: maintenance },
];

async function join(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  refusePartition(request);
  await deps.membership.join(request.rest, request.query.get('wan') !== '');
  return EMPTY_REPLY;
}

async function leave(_request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  await deps.lifecycle.leave();
  return EMPTY_REPLY;
}

async function forceLeave(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  refusePartition(request);
  await deps.membership.forceLeave(request.rest, { prune: request.query.has('prune'), wan: request.query.has('wan') });
  return EMPTY_REPLY;
}

async function reload(_request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  await deps.lifecycle.reload();
  return EMPTY_REPLY;
}

async function maintenance(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const enable = parseEnable(request);
  deps.services.setNodeMaintenance(enable, request.query.get('reason'), request.token);
  await deps.synced();
  return EMPTY_REPLY;
}
