import { allowAll, type AclAccess, type AclResource, type Authorizer } from '@lictor/mesh';
import { LictorError, type Secret } from '@lictor/protocol';
import type { ApiDeps } from '../deps.ts';
import type { ApiRequest } from '../request/api-request.ts';
import type { Route } from './route.ts';

/** Enforces the agent's own rules; routes that the servers decide on pass through with their token. */
export async function authorize(route: Route, request: ApiRequest, deps: ApiDeps): Promise<void> {
  if (route.acl.by !== 'agent' || !request.config.aclEnabled) return;
  const { resource, access, segment } = route.acl;
  await requireAccess(request, deps, resource, access, segment(request, deps));
}

/** @throws LictorError `permission-denied`, in Consul's words */
export async function requireAccess(
  request: ApiRequest,
  deps: ApiDeps,
  resource: AclResource,
  access: AclAccess,
  segment: string,
): Promise<void> {
  const authorizer = await resolveAuthorizer(request.token, request.config.aclEnabled, deps);
  if (authorizer.allows(resource, segment, access)) return;
  const on = segment === '' ? '' : ` on ${JSON.stringify(segment)}`;
  const who = `token with AccessorID '${authorizer.accessorId}'`;
  throw new LictorError('permission-denied', `Permission denied: ${who} lacks permission '${resource}:${access}'${on}`);
}

/** With ACLs on and nobody to resolve tokens, nothing is allowed. */
export async function resolveAuthorizer(token: Secret, aclEnabled: boolean, deps: ApiDeps): Promise<Authorizer> {
  if (!aclEnabled) return allowAll;
  if (deps.authorizer === undefined) throw new LictorError('permission-denied', 'Permission denied: tokens cannot be resolved');
  return deps.authorizer(token);
}
