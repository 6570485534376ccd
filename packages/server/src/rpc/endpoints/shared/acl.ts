import { LictorError, type RaftIndex } from '@lictor/protocol';
import type { AclAccess, AclResource, Authorizer } from '@lictor/mesh';
import type { ReadContext } from '../../types.ts';

/** Whose AccessorID an absent token has (consul-facts A rows). */
const ANONYMOUS_ACCESSOR_ID = '00000000-0000-0000-0000-000000000002';

/**
 * For single objects and writes: refuses in Consul's words.
 * @throws LictorError `permission-denied`
 */
export function requireAccess(authorizer: Authorizer, resource: AclResource, segment: string, access: AclAccess): void {
  if (!authorizer.allows(resource, segment, access)) throw permissionDenied(authorizer, resource, segment, access);
}

export function permissionDenied(authorizer: Authorizer, resource: AclResource, segment: string, access: AclAccess): LictorError {
  const on = segment === '' ? '' : ` on ${JSON.stringify(segment)}`;
  const lacks = `lacks permission '${resource}:${access}'${on}`;
  const isAnonymous = authorizer.accessorId === '' || authorizer.accessorId === ANONYMOUS_ACCESSOR_ID;
  const message = isAnonymous
    ? `Permission denied: anonymous token ${lacks}. The anonymous token is used implicitly when a request does not specify a token.`
    : `Permission denied: token with AccessorID '${authorizer.accessorId}' ${lacks}`;
  return new LictorError('permission-denied', message);
}

/** For lists: keeps what the caller may see, and says so when that is not all. */
export function visible<Row>(context: ReadContext, rows: readonly Row[], mayRead: (row: Row) => boolean): readonly Row[] {
  const kept = rows.filter(mayRead);
  if (kept.length === rows.length) return rows;
  context.noteFiltered();
  return kept;
}

/** Who may see an instance: node:read and service:read. */
export function mayReadInstance(authorizer: Authorizer, node: string, service: string): boolean {
  return authorizer.allows('node', node, 'read') && authorizer.allows('service', service, 'read');
}

/** Who may see a check: node:read, and service:read for a service's. */
export function mayReadCheck(authorizer: Authorizer, check: { readonly Node: string; readonly ServiceName: string } & RaftIndex): boolean {
  if (!authorizer.allows('node', check.Node, 'read')) return false;
  return check.ServiceName === '' || authorizer.allows('service', check.ServiceName, 'read');
}
