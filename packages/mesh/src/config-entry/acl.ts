import type { ConfigEntryKind } from '@lictor/protocol';
import type { AclAccess, AclResource, Authorizer } from '../acl/index.ts';

/** One permission; `segment` is absent where any name will do. */
export interface AclRequirement {
  readonly resource: AclResource;
  readonly segment?: string;
  readonly access: AclAccess;
}

/** What reading and writing an entry needs; any one requirement of a list suffices, an empty list needs nothing. */
export interface ConfigEntryAcl {
  readonly read: readonly AclRequirement[];
  readonly write: readonly AclRequirement[];
}

/** The mesh rule falls back to the operator rule (consul-facts A005, E002). */
const MESH_WRITE: readonly AclRequirement[] = [
  { resource: 'mesh', segment: '', access: 'write' },
  { resource: 'operator', segment: '', access: 'write' },
];

/** Consul-facts section 5, last column. */
export function configEntryAcl(kind: ConfigEntryKind, name: string): ConfigEntryAcl {
  switch (kind) {
    case 'service-defaults':
    case 'service-router':
    case 'service-splitter':
    case 'service-resolver':
      return { read: [need('service', name, 'read')], write: [need('service', name, 'write')] };
    case 'service-intentions':
      return { read: [need('intention', name, 'read')], write: [need('intention', name, 'write')] };
    case 'proxy-defaults':
    case 'mesh':
      return { read: [], write: MESH_WRITE };
    case 'ingress-gateway':
    case 'terminating-gateway':
    case 'api-gateway':
    case 'bound-api-gateway':
      return { read: [need('service', name, 'read')], write: MESH_WRITE };
    case 'jwt-provider':
      return {
        read: [need('mesh', '', 'read'), { resource: 'service', access: 'write' }, need('operator', '', 'read')],
        write: MESH_WRITE,
      };
    case 'exported-services':
    case 'http-route':
    case 'tcp-route':
    case 'inline-certificate':
    case 'file-system-certificate':
      return { read: [need('mesh', '', 'read'), need('operator', '', 'read')], write: MESH_WRITE };
    default:
      return unknownKind(kind);
  }
}

/** Whether `authorizer` may do what the requirements ask. */
export function isAuthorised(authorizer: Authorizer, requirements: readonly AclRequirement[]): boolean {
  if (requirements.length === 0) return true;
  return requirements.some(({ resource, segment, access }) =>
    segment === undefined ? authorizer.allowsAny(resource, access) : authorizer.allows(resource, segment, access),
  );
}

function need(resource: AclResource, segment: string, access: AclAccess): AclRequirement {
  return { resource, segment, access };
}

function unknownKind(kind: never): never {
  throw new TypeError(`no ACL rule for config entry kind ${String(kind)}`);
}
