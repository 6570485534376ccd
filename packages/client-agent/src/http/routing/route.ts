import type { AclAccess, AclResource } from '@lictor/mesh';
import type { Reply } from '../reply/reply.ts';
import type { ApiDeps } from '../deps.ts';
import type { ApiRequest } from '../request/api-request.ts';

export type HttpMethod = 'GET' | 'PUT' | 'POST' | 'DELETE';

/**
 * Who may use a route. Every route states it; there is no default.
 * 1. `none`: anyone, by Consul's documentation.
 * 2. `agent`: decided here, inside the matched route, before the handler runs.
 * 3. `server`: the servers decide on the token that goes with the call, on what the request really names.
 * 4. `items`: the handler itself keeps only what the token may see.
 */
export type AclRule =
  | { readonly by: 'none' }
  | { readonly by: 'agent'; readonly resource: AclResource; readonly access: AclAccess; readonly segment: SegmentOf }
  | { readonly by: 'server' | 'items'; readonly resource: AclResource; readonly access: AclAccess };

/** The name that an agent rule is about. */
export type SegmentOf = (request: ApiRequest, deps: ApiDeps) => string;

export interface Route {
  readonly method: HttpMethod;
  /** A path, or a prefix when it ends in `/`: what follows is `request.rest`. */
  readonly path: string;
  readonly acl: AclRule;
  readonly handle: Handler;
  /** May answer minutes later with a body that never ends: compressed and counted differently. */
  readonly streams?: boolean;
  /**
   * Which methods a path below the prefix has, when not every path has every one. Its 405 names these alone, without OPTIONS, as that of Consul's
   * only such endpoint does.
   */
  readonly methodsOf?: (rest: string) => readonly HttpMethod[];
  /** Changes nothing, though it is no GET: logged like a read. */
  readonly isRead?: boolean;
}

/** Errors are thrown as LictorErrors; whatever else is thrown becomes a 500 with its message. */
export type Handler = (request: ApiRequest, deps: ApiDeps) => Reply | Promise<Reply>;

export const acl = {
  none: { by: 'none' },
  /** `agent:` rules name this agent's node. */
  agent: (access: AclAccess): AclRule => ({ by: 'agent', resource: 'agent', access, segment: (_request, deps) => deps.config().nodeName }),
  node: (access: AclAccess): AclRule => ({ by: 'agent', resource: 'node', access, segment: (_request, deps) => deps.config().nodeName }),
  operator: (access: AclAccess): AclRule => ({ by: 'agent', resource: 'operator', access, segment: () => '' }),
  local: (resource: AclResource, access: AclAccess, segment: SegmentOf): AclRule => ({ by: 'agent', resource, access, segment }),
  items: (resource: AclResource, access: AclAccess): AclRule => ({ by: 'items', resource, access }),
  server: (resource: AclResource, access: AclAccess): AclRule => ({ by: 'server', resource, access }),
} as const;
