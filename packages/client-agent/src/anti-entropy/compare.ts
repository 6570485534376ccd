import { isDeepStrictEqual } from 'node:util';
import { type HealthCheck, NO_TOKEN, type Node, type NodeService } from '@lictor/protocol';
import type { LocalState } from '../local/index.ts';
import { isSameCheck, isSameService } from './content.ts';

/** What the node's own row should be. */
export interface NodeInfo {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly datacenter: string;
  readonly taggedAddresses: Readonly<Record<string, string>>;
  readonly meta: Readonly<Record<string, string>>;
}

/** What the catalog holds of this node. */
export interface RemoteNode {
  readonly node: Node | null;
  readonly services: Readonly<Record<string, NodeService>>;
  readonly checks: readonly HealthCheck[];
}

/** Servers register themselves, and the leader writes every node's liveness (consul-facts O002): neither is ours to remove. */
const SERVER_SERVICE_ID = 'consul';
const LIVENESS_CHECK_ID = 'serfHealth';
const RESERVED_TAG_PREFIX = 'consul-';

/**
 * Marks what differs between the agent and the catalog; the agent is right. Rows that only the catalog has are marked for removal,
 * but for tags of services with `EnableTagOverride` and the addresses that servers assign, which the agent takes over.
 */
export function compareWithCatalog(state: LocalState, info: NodeInfo, remote: RemoteNode): void {
  if (!isSameNode(info, remote.node)) state.isNodeInSync = false;
  compareServices(state, remote.services);
  compareChecks(state, remote.checks);
}

function isSameNode(info: NodeInfo, node: Node | null): boolean {
  if (node === null || node.ID !== info.id || node.Address !== info.address) return false;
  return (
    isDeepStrictEqual({ ...node.TaggedAddresses }, { ...info.taggedAddresses }) && isDeepStrictEqual({ ...node.Meta }, { ...info.meta })
  );
}

function compareServices(state: LocalState, remote: Readonly<Record<string, NodeService>>): void {
  for (const [id, record] of state.services) {
    const known = remote[id];
    if (known === undefined) {
      record.isInSync = false;
      continue;
    }
    if (record.isDeleted) continue;
    const adopted = adoptFromCatalog(record.service, known);
    if (adopted !== record.service) state.adoptService(record, adopted);
    record.isInSync = isSameService(record.service, known);
  }
  for (const [id, service] of Object.entries(remote)) {
    if (state.services.has(id) || id === SERVER_SERVICE_ID) continue;
    state.services.set(id, { service, token: NO_TOKEN, source: 'api', isInSync: false, isDeleted: true });
  }
}

function adoptFromCatalog(local: NodeService, remote: NodeService): NodeService {
  const tags = local.EnableTagOverride && !isDeepStrictEqual(local.Tags, remote.Tags) ? remote.Tags : local.Tags;
  const assigned = Object.entries(remote.TaggedAddresses ?? {}).filter(
    ([tag, address]) => tag.startsWith(RESERVED_TAG_PREFIX) && !isDeepStrictEqual(local.TaggedAddresses?.[tag], address),
  );
  if (tags === local.Tags && assigned.length === 0) return local;
  return {
    ...local,
    Tags: tags,
    TaggedAddresses: assigned.length === 0 ? local.TaggedAddresses : { ...local.TaggedAddresses, ...Object.fromEntries(assigned) },
  };
}

function compareChecks(state: LocalState, remote: readonly HealthCheck[]): void {
  const byId = new Map(remote.map((check) => [check.CheckID, check]));
  for (const [id, record] of state.checks) {
    const known = byId.get(id);
    if (known === undefined) record.isInSync = false;
    else if (!record.isDeleted) {
      // Output that waits for its turn is no difference yet.
      const local = record.deferred === undefined ? record.check : { ...record.check, Output: known.Output };
      record.isInSync = isSameCheck(local, known);
    }
  }
  for (const check of remote) {
    if (state.checks.has(check.CheckID) || check.CheckID === LIVENESS_CHECK_ID || check.ServiceID === SERVER_SERVICE_ID) continue;
    state.checks.set(check.CheckID, { check, token: NO_TOKEN, source: 'api', isInSync: false, isDeleted: true });
  }
}
