import { agentCheckFilterType } from '@lictor/mesh';
import { checkDefinition, LictorError, schema } from '@lictor/protocol';
import type { CheckUpdateStatus } from '../../../contracts/index.ts';
import type { ApiDeps } from '../../deps.ts';
import { encodeJson } from '../../reply/encode-json.ts';
import { EMPTY_REPLY, jsonReply, type Reply } from '../../reply/reply.ts';
import type { ApiRequest } from '../../request/api-request.ts';
import { refuseNamespace } from '../../request/enterprise.ts';
import { readJsonBody } from '../../request/json-body.ts';
import { badRequest } from '../../request/read-options.ts';
import { requireAccess } from '../../routing/authorize.ts';
import { acl, type Route } from '../../routing/route.ts';
import { agentCheckJson } from '../../views/check.ts';
import { filterItems } from './filtered.ts';
import { registrationToken } from './service.ts';

/** The agent's own checks (consul-facts H058-H064). Rules are about the check's service, or the node for checks without one. */
export const agentChecksRoutes: readonly Route[] = [
  { method: 'GET', path: '/v1/agent/checks', acl: acl.items('node', 'read'), handle: list },
  { method: 'PUT', path: '/v1/agent/check/register', acl: acl.items('node', 'write'), handle: register },
  { method: 'PUT', path: '/v1/agent/check/deregister/', acl: acl.items('node', 'write'), handle: deregister },
  {
    method: 'PUT',
    path: '/v1/agent/check/pass/',
    acl: acl.items('node', 'write'),
    handle: (request, deps) => update(request, deps, 'passing'),
  },
  {
    method: 'PUT',
    path: '/v1/agent/check/warn/',
    acl: acl.items('node', 'write'),
    handle: (request, deps) => update(request, deps, 'warning'),
  },
  {
    method: 'PUT',
    path: '/v1/agent/check/fail/',
    acl: acl.items('node', 'write'),
    handle: (request, deps) => update(request, deps, 'critical'),
  },
  { method: 'PUT', path: '/v1/agent/check/update/', acl: acl.items('node', 'write'), handle: updateFromBody },
];

async function list(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  refuseNamespace(request);
  const { nodeName } = request.config;
  const checks = [...deps.checks.list().values()].sort((a, b) => (a.CheckID < b.CheckID ? -1 : 1));
  const { items, headers } = await filterItems(
    checks,
    (authorizer, check) =>
      check.ServiceName === '' ? authorizer.allows('node', nodeName, 'read') : authorizer.allows('service', check.ServiceName, 'read'),
    agentCheckFilterType,
    request,
    deps,
  );
  const body = Object.fromEntries(items.map((check) => [check.CheckID, agentCheckJson(check)]));
  return jsonReply(encodeJson(body, request.indent), headers);
}

async function register(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  refuseNamespace(request);
  const definition = await readJsonBody(request, checkDefinition, { goStruct: '.Alias', ignoredKeys: ['Namespace', 'Partition'] });
  await requireCheckWrite(request, deps, deps.services.get(definition.ServiceID)?.Service ?? definition.ServiceID);
  await deps.checks.register(definition, { token: registrationToken(definition.Token, request), source: 'api' });
  await deps.synced();
  return EMPTY_REPLY;
}

async function deregister(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  refuseNamespace(request);
  await requireKnown(request, deps);
  await deps.checks.deregister(request.rest);
  await deps.synced();
  return EMPTY_REPLY;
}

async function update(request: ApiRequest, deps: ApiDeps, status: CheckUpdateStatus, output?: string): Promise<Reply> {
  refuseNamespace(request);
  await requireKnown(request, deps);
  deps.checks.updateTtl(request.rest, status, output ?? request.query.get('note'));
  await deps.synced();
  return EMPTY_REPLY;
}

const checkUpdate = schema.object({ Status: schema.string(), Output: schema.string() });

async function updateFromBody(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const { Status: status, Output } = await readJsonBody(request, checkUpdate, { goStruct: 'checkUpdate' });
  if (status !== 'passing' && status !== 'warning' && status !== 'critical') throw badRequest(`Invalid check status: '${status}'`);
  return update(request, deps, status, Output);
}

async function requireKnown(request: ApiRequest, deps: ApiDeps): Promise<void> {
  const check = deps.checks.get(request.rest);
  await requireCheckWrite(request, deps, check?.ServiceName ?? '');
  if (check !== undefined) return;
  const text = `Unknown check ID ${JSON.stringify(request.rest)}. Ensure that the check ID is passed, not the check name.`;
  throw new LictorError('not-found', text);
}

async function requireCheckWrite(request: ApiRequest, deps: ApiDeps, serviceName: string): Promise<void> {
  if (!request.config.aclEnabled) return;
  if (serviceName === '') await requireAccess(request, deps, 'node', 'write', request.config.nodeName);
  else await requireAccess(request, deps, 'service', 'write', serviceName);
}
