/** What a rule can speak about (consul-facts A005). `intention` is the `intentions` value of service rules. */
export type AclResource =
  | 'acl'
  | 'agent'
  | 'event'
  | 'intention'
  | 'key'
  | 'keyring'
  | 'mesh'
  | 'node'
  | 'operator'
  | 'peering'
  | 'query'
  | 'service'
  | 'session';

/** `list` is for keys only: reading below a prefix (A021). `write` includes reading. */
export type AclAccess = 'read' | 'list' | 'write';

/**
 * What one token may do. Implementations are immutable and pure: the same question always gets the same answer.
 * 1. `segment` is the name that the rule is about; empty for resources without names (acl, keyring, mesh, operator, peering).
 * 2. An error while evaluating denies.
 */
export interface Authorizer {
  /** AccessorID for messages; empty when ACLs are off. */
  readonly accessorId: string;
  allows(resource: AclResource, segment: string, access: AclAccess): boolean;
  /** True when everything below `prefix` may be accessed: what recursive writes and deletes need. */
  allowsPrefix(resource: AclResource, prefix: string, access: AclAccess): boolean;
  /** True when some segment of `resource` may be accessed: `service:read` on any name. */
  allowsAny(resource: AclResource, access: AclAccess): boolean;
}

/** ACLs off. */
export const allowAll: Authorizer = {
  accessorId: '',
  allows: () => true,
  allowsPrefix: () => true,
  allowsAny: () => true,
};
