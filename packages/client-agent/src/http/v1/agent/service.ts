import { LictorError, NO_TOKEN, Secret, serviceDefinition } from '@lictor/protocol';
import type { ApiDeps } from '../../deps.ts';
import { EMPTY_REPLY, type Reply } from '../../reply/reply.ts';
import type { ApiRequest } from '../../request/api-request.ts';
import { parseGoBoolean } from '../../request/boolean.ts';
import { refuseNamespace } from '../../request/enterprise.ts';
import { readJsonBody } from '../../request/json-body.ts';
import { badRequest } from '../../request/read-options.ts';
import { requireAccess } from '../../routing/authorize.ts';
import { acl, type Route } from '../../routing/route.ts';

/** Changing the agent's own services (consul-facts H055-H057), and a sidecar's word that it is ready (ours). */
export const agentServiceRoutes: readonly Route[] = [
  { method: 'PUT', path: '/v1/agent/service/register', acl: acl.items('service', 'write'), handle: register },
  { method: 'PUT', path: '/v1/agent/service/deregister/', acl: acl.local('service', 'write', serviceName), handle: deregister },
  { method: 'PUT', path: '/v1/agent/service/maintenance/', acl: acl.local('service', 'write', serviceName), handle: maintenance },
  { method: 'PUT', path: '/v1/agent/lictor/proxy-ready/', acl: acl.local('service', 'write', serviceName), handle: proxyReady },
];

/** Rules name services, paths name instances. */
function serviceName(request: ApiRequest, deps: ApiDeps): string {
  return deps.services.get(request.rest)?.Service ?? request.rest;
}

const GO_TYPE =
  'struct { EnableTagOverrideSnake bool "json:\\"enable_tag_override\\""; TaggedAddressesSnake map[string]structs.ServiceAddress ' +
  '"json:\\"tagged_addresses\\""; *structs.Alias }';

async function register(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  refuseNamespace(request);
  const definition = await readJsonBody(request, serviceDefinition, { goType: GO_TYPE, goStruct: '.Alias', ignoredKeys: ['Locality'] });
  if (definition.Name === '') throw badRequest('Missing service name');
  if (request.config.aclEnabled) await requireAccess(request, deps, 'service', 'write', definition.Name);
  const replace = request.query.get('replace-existing-checks');
  const replaceExistingChecks = request.query.has('replace-existing-checks') && (replace === '' || replace === 'true');
  await deps.services.register(definition, { token: registrationToken(definition.Token, request), replaceExistingChecks, source: 'api' });
  await deps.synced();
  return EMPTY_REPLY;
}

/** The registration's own token when it carries one, else the caller's; never the agent's default. */
export function registrationToken(inBody: string, request: ApiRequest): Secret {
  if (inBody !== '') return new Secret(inBody);
  return request.sentToken ? request.token : NO_TOKEN;
}

async function deregister(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  refuseNamespace(request);
  requireKnown(request, deps);
  await deps.services.deregister(request.rest);
  await deps.synced();
  return EMPTY_REPLY;
}

async function maintenance(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  if (request.rest === '') throw badRequest('Missing service ID');
  const enable = parseEnable(request);
  refuseNamespace(request);
  requireKnown(request, deps);
  await deps.services.setMaintenance(request.rest, enable, request.query.get('reason'), request.token);
  await deps.synced();
  return EMPTY_REPLY;
}

/** @throws LictorError 400 with Consul's texts */
export function parseEnable(request: ApiRequest): boolean {
  if (!request.query.has('enable')) throw badRequest('Missing value for enable');
  const text = request.query.get('enable');
  const enable = parseGoBoolean(text);
  if (enable === undefined) throw badRequest(`Invalid value for enable: ${JSON.stringify(text)}`);
  return enable;
}

/** A sidecar calls this when its listeners are up: its checks run at once, so its first callers need not wait for an interval. */
function proxyReady(request: ApiRequest, deps: ApiDeps): Reply {
  requireKnown(request, deps);
  deps.checks.runNow(request.rest);
  return EMPTY_REPLY;
}

function requireKnown(request: ApiRequest, deps: ApiDeps): void {
  if (deps.services.get(request.rest) !== undefined) return;
  const text = `Unknown service ID ${JSON.stringify(request.rest)}. Ensure that the service ID is passed, not the service name.`;
  throw new LictorError('not-found', text);
}
