import type { Node } from '@lictor/protocol';
import type { ServerMember } from '../cluster/directory.ts';
import { SERF_HEALTH_CHECK_ID } from '../fsm/catalog/nodes.ts';
import { sameValue } from '../fsm/catalog/same-content.ts';
import { CATALOG_DEREGISTER, CATALOG_REGISTER, type DeregisterBody, type RegisterBody } from '../fsm/commands/catalog.ts';
import { checkKey, checksTable } from '../state/tables/checks.ts';
import { nodeKey, nodesTable } from '../state/tables/nodes.ts';
import { serviceKey, servicesTable } from '../state/tables/services.ts';
import type { StateReader } from '../state/types.ts';
import { CONSUL_SERVICE, consulService, serfHealth, splitAddress } from './reconcile-rows.ts';

export type Correction =
  | { readonly type: typeof CATALOG_REGISTER; readonly body: RegisterBody }
  | { readonly type: typeof CATALOG_DEREGISTER; readonly body: DeregisterBody };

/**
 * What the catalog lacks for one member, in order; nothing when it is as it should be. The node's metadata and tagged addresses are its
 * agent's: they are left as they are.
 */
export function corrections(
  reader: StateReader,
  member: ServerMember,
  members: readonly ServerMember[],
  selfId: string,
): readonly Correction[] {
  const node = reader.get(nodesTable, nodeKey(member.name));
  if (member.status === 'alive') return whenAlive(reader, node, member, members);
  // A later server of that name has taken its place.
  const isReplaced = members.some(({ id, name, status }) => id !== member.id && status === 'alive' && sameName(name, member.name));
  const isOther = node !== undefined && node.ID !== '' && node.ID !== member.id;
  if (node === undefined || isReplaced || isOther) return [];
  if (member.status === 'failed') return hasSerfHealth(reader, node.Node, 'critical') ? [] : [markFailed(node)];
  // The next leader says goodbye to this one.
  if (member.id === selfId) return [];
  return [{ type: CATALOG_DEREGISTER, body: { node: node.Node, serviceId: '', checkId: '' } }];
}

function whenAlive(
  reader: StateReader,
  node: Node | undefined,
  member: ServerMember,
  members: readonly ServerMember[],
): readonly Correction[] {
  const body = missingRegistration(reader, node, member);
  if (body === undefined) return [];
  // A node keeps its name from others while it lives. This one was a server, and no living server has its id: it lives no more.
  const wasServer = node !== undefined && reader.get(servicesTable, serviceKey(node.Node, CONSUL_SERVICE)) !== undefined;
  const isOfDeadServer = wasServer && node.ID !== member.id && !members.some(({ id, status }) => id === node.ID && status === 'alive');
  const mustFail = isOfDeadServer && !hasSerfHealth(reader, node.Node, 'critical');
  return [...(mustFail ? [markFailed(node)] : []), { type: CATALOG_REGISTER, body }];
}

/** Undefined when the catalog has it all. */
function missingRegistration(reader: StateReader, node: Node | undefined, member: ServerMember): RegisterBody | undefined {
  const service = reader.get(servicesTable, serviceKey(member.name, CONSUL_SERVICE));
  const wanted = consulService(member);
  const address = splitAddress(member.rpcAddress).host;
  const isComplete =
    node?.Address === address &&
    node.ID === member.id &&
    hasSerfHealth(reader, node.Node, 'passing') &&
    service?.Port === wanted.Port &&
    sameValue(service.Meta, wanted.Meta);
  if (isComplete) return undefined;
  const known = node?.ID === member.id || node?.ID === '' ? node : undefined;
  return {
    node: {
      ID: member.id,
      Node: member.name,
      Address: address,
      Datacenter: member.datacenter,
      TaggedAddresses: known?.TaggedAddresses ?? null,
      Meta: known === undefined ? { 'consul-version': member.version } : known.Meta,
    },
    skipNodeUpdate: false,
    service: wanted,
    checks: [serfHealth(member.name, 'passing')],
  };
}

function markFailed(node: Node): Correction {
  const { ID, Node: name, Address, Datacenter, TaggedAddresses, Meta } = node;
  const fields = { ID, Node: name, Address, Datacenter, TaggedAddresses, Meta };
  return { type: CATALOG_REGISTER, body: { node: fields, skipNodeUpdate: true, checks: [serfHealth(name, 'critical')] } };
}

function hasSerfHealth(reader: StateReader, node: string, status: 'passing' | 'critical'): boolean {
  return reader.get(checksTable, checkKey(node, SERF_HEALTH_CHECK_ID))?.Status === status;
}

function sameName(left: string, right: string): boolean {
  return nodeKey(left) === nodeKey(right);
}
