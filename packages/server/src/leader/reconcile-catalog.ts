import type { Node, NodeService } from '@lictor/protocol';
import type { NodeMember } from '../cluster/directory.ts';
import { SERF_HEALTH_CHECK_ID } from '../fsm/catalog/nodes.ts';
import { sameValue } from '../fsm/catalog/same-content.ts';
import { CATALOG_DEREGISTER, CATALOG_REGISTER, type DeregisterBody, type RegisterBody } from '../fsm/commands/catalog.ts';
import { checkKey, checksTable } from '../state/tables/checks.ts';
import { nodeKey, nodesTable } from '../state/tables/nodes.ts';
import { serviceKey, servicesTable } from '../state/tables/services.ts';
import type { StateReader } from '../state/types.ts';
import { CONSUL_SERVICE, consulService, serfHealth } from './reconcile-rows.ts';

export type Correction =
  | { readonly type: typeof CATALOG_REGISTER; readonly body: RegisterBody }
  | { readonly type: typeof CATALOG_DEREGISTER; readonly body: DeregisterBody };

/**
 * What the catalog lacks for one member, in order; nothing when it is as it should be. The node's metadata and tagged addresses are its
 * agent's: they are left as they are.
 */
export function corrections(
  reader: StateReader,
  member: NodeMember,
  members: readonly NodeMember[],
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

function whenAlive(reader: StateReader, node: Node | undefined, member: NodeMember, members: readonly NodeMember[]): readonly Correction[] {
  const known = reader.get(servicesTable, serviceKey(member.name, CONSUL_SERVICE));
  const body = missingRegistration(reader, node, member, known);
  // Its agent was a server before, and is a client now.
  const isServerNoMore = known !== undefined && member.server === null && node?.ID === member.id;
  const retired: Correction = { type: CATALOG_DEREGISTER, body: { node: member.name, serviceId: CONSUL_SERVICE, checkId: '' } };
  if (body === undefined) return isServerNoMore ? [retired] : [];
  // A node keeps its name from others while it lives. This one is known to gossip by no living member: it lives no more.
  const isOfDeadMember =
    node !== undefined && node.ID !== member.id && !members.some(({ id, status }) => id === node.ID && status === 'alive');
  const wasMember = node !== undefined && reader.get(checksTable, checkKey(node.Node, SERF_HEALTH_CHECK_ID)) !== undefined;
  const mustFail = isOfDeadMember && wasMember && !hasSerfHealth(reader, node.Node, 'critical');
  return [...(mustFail ? [markFailed(node)] : []), { type: CATALOG_REGISTER, body }, ...(isServerNoMore ? [retired] : [])];
}

/** Undefined when the catalog has it all. */
function missingRegistration(
  reader: StateReader,
  node: Node | undefined,
  member: NodeMember,
  known: NodeService | undefined,
): RegisterBody | undefined {
  const { id, name, datacenter, address, version, server } = member;
  const wanted = server === null ? undefined : consulService(member, server);
  const hasService = wanted === undefined || (known?.Port === wanted.Port && sameValue(known.Meta, wanted.Meta));
  if (node?.Address === address && node.ID === id && hasSerfHealth(reader, node.Node, 'passing') && hasService) return undefined;
  const same = node?.ID === id || node?.ID === '' ? node : undefined;
  return {
    node: {
      ID: id,
      Node: name,
      Address: address,
      Datacenter: datacenter,
      TaggedAddresses: same?.TaggedAddresses ?? null,
      Meta: same === undefined ? { 'consul-version': version } : same.Meta,
    },
    // Its agent may register it while this is on its way: what the agent says of itself stays.
    skipNodeUpdate: node === undefined,
    ...(wanted !== undefined && { service: wanted }),
    checks: [serfHealth(name, 'passing')],
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

/** Nodes that are in the catalog because gossip had them as members: key to name. External nodes have no `serfHealth`. */
export function memberNodes(reader: StateReader): ReadonlyMap<string, string> {
  const nodes = new Map<string, string>();
  for (const node of reader.scan(nodesTable)) {
    if (reader.get(checksTable, checkKey(node.Node, SERF_HEALTH_CHECK_ID)) !== undefined) nodes.set(nodeKey(node.Node), node.Node);
  }
  return nodes;
}

function sameName(left: string, right: string): boolean {
  return nodeKey(left) === nodeKey(right);
}
