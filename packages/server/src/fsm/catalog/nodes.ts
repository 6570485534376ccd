import type { Node } from '@lictor/protocol';
import { checkGroupKey, checkGroupsTable, checkKey, checksTable } from '../../state/tables/checks.ts';
import { coordinateKey, coordinatesTable } from '../../state/tables/coordinates.ts';
import { foldName, keyPrefix } from '../../state/tables/keys.ts';
import { nodeKey, nodesTable } from '../../state/tables/nodes.ts';
import { servicesTable } from '../../state/tables/services.ts';
import type { StateReader, StateTxn } from '../../state/types.ts';
import { CommandFailure } from '../types.ts';
import { removeCheck } from './checks.ts';
import { makeCheckGroup, makeNodeRow } from './rows.ts';
import { sameContent } from './same-content.ts';
import { removeService } from './services.ts';
import { invalidateSessionsForNode } from './sessions.ts';

/** The check that the leader keeps on every node with an agent. */
export const SERF_HEALTH_CHECK_ID = 'serfHealth';

export type NodeFields = Omit<Node, 'CreateIndex' | 'ModifyIndex'>;

/**
 * Creates or changes a node. Its id may move to another name (a rename), unless a living node has that name; a node that was
 * registered without an id may be given one.
 */
export function ensureNode(txn: StateTxn, node: NodeFields): Node | CommandFailure {
  const failure = node.ID === '' ? undefined : claimName(txn, node);
  if (failure !== undefined) return failure;
  const existing = txn.get(nodesTable, nodeKey(node.Node));
  // As rows: a request may carry fields that no row has.
  const wanted = makeNodeRow(node);
  const isSame = existing !== undefined && sameContent({ ...existing, Node: '' }, { ...wanted, Node: '' });
  if (isSame) return existing;
  const row = txn.put(nodesTable, wanted);
  if (existing === undefined) txn.put(checkGroupsTable, makeCheckGroup(row.Node, '', []));
  return row;
}

function claimName(txn: StateTxn, node: NodeFields): CommandFailure | undefined {
  const known = findNodeById(txn, node.ID);
  if (known !== undefined && foldName(known.Node) === foldName(node.Node)) return undefined;
  const holder = txn.get(nodesTable, nodeKey(node.Node));
  const mayTakeOver = known === undefined;
  const isReserved = holder !== undefined && holder.ID !== node.ID && !(mayTakeOver && holder.ID === '') && isAlive(txn, holder.Node);
  if (isReserved) {
    const what = known === undefined ? `${JSON.stringify(node.ID)}` : `${JSON.stringify(node.ID)} (${node.Address})`;
    const reserved = `Node name ${node.Node} is reserved by node ${holder.ID} with name ${holder.Node} (${holder.Address})`;
    return new CommandFailure('rejected', `Error while renaming Node ID: ${what}: ${reserved}`);
  }
  if (known !== undefined) removeNode(txn, known.Node);
  return undefined;
}

/** A node without the leader's check was registered by hand: nobody vouches for it. */
function isAlive(reader: StateReader, node: string): boolean {
  const check = reader.get(checksTable, checkKey(node, SERF_HEALTH_CHECK_ID));
  return check !== undefined && check.Status !== 'critical';
}

export function findNodeById(reader: StateReader, id: string): Node | undefined {
  for (const node of reader.find(nodesTable, 'id', foldName(id))) return node;
  return undefined;
}

/** Removes the node with all that belongs to it: instances, checks, coordinates, sessions. */
export function removeNode(txn: StateTxn, name: string): boolean {
  const node = txn.get(nodesTable, nodeKey(name));
  if (node === undefined) return false;
  // The rows are taken before the first removal: iterating over what is being removed is nobody's promise.
  const services = Array.from(txn.scan(servicesTable, keyPrefix(name)));
  for (const service of services) removeService(txn, name, service.ID);
  const checks = Array.from(txn.scan(checksTable, keyPrefix(name)));
  for (const check of checks) removeCheck(txn, name, check.CheckID);
  const coordinates = Array.from(txn.scan(coordinatesTable, keyPrefix(name)));
  for (const row of coordinates) txn.remove(coordinatesTable, coordinateKey(row.Node, row.Segment));
  txn.remove(checkGroupsTable, checkGroupKey(name, ''));
  txn.remove(nodesTable, nodeKey(name));
  invalidateSessionsForNode(txn, node.Node);
  return true;
}
