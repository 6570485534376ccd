import type { HealthCheck } from '@lictor/protocol';
import { checkGroupKey, checkGroupsTable, checkKey, checksTable } from '../../state/tables/checks.ts';
import { foldName } from '../../state/tables/keys.ts';
import { nodeKey, nodesTable } from '../../state/tables/nodes.ts';
import { type ServiceRow, serviceKey, servicesTable } from '../../state/tables/services.ts';
import type { StateTxn } from '../../state/types.ts';
import { CommandFailure } from '../types.ts';
import { makeCheckGroup, makeCheckRow } from './rows.ts';
import { sameContent } from './same-content.ts';
import { invalidateSessionsForCheck } from './sessions.ts';

export const MISSING_NODE = 'Missing node registration';
export const MISSING_SERVICE = 'Missing service registration';

/** Creates or changes a check; its service's name and tags come from the instance. A critical check ends the sessions on it. */
export function ensureCheck(txn: StateTxn, check: HealthCheck): HealthCheck | CommandFailure {
  const node = txn.get(nodesTable, nodeKey(check.Node));
  if (node === undefined) return new CommandFailure('rejected', MISSING_NODE);
  const service = check.ServiceID === '' ? undefined : txn.get(servicesTable, serviceKey(node.Node, check.ServiceID));
  if (check.ServiceID !== '' && service === undefined) return new CommandFailure('rejected', MISSING_SERVICE);

  const row = makeCheckRow(node.Node, check, service);
  const existing = txn.get(checksTable, checkKey(node.Node, check.CheckID));
  if (existing !== undefined && sameContent(existing, row)) return existing;
  const hasMoved = existing !== undefined && foldName(existing.ServiceID) !== foldName(row.ServiceID);
  if (hasMoved) leaveGroup(txn, existing);
  const written = txn.put(checksTable, row);
  if (existing === undefined || hasMoved) joinGroup(txn, written);
  if (written.Status === 'critical') invalidateSessionsForCheck(txn, written.Node, written.CheckID);
  return written;
}

export function removeCheck(txn: StateTxn, node: string, checkId: string): boolean {
  const key = checkKey(node, checkId);
  const check = txn.get(checksTable, key);
  if (check === undefined) return false;
  leaveGroup(txn, check);
  txn.remove(checksTable, key);
  invalidateSessionsForCheck(txn, check.Node, check.CheckID);
  return true;
}

/** Gives an instance that was just created its group, or brings its checks up to its new name and tags. */
export function adoptChecks(txn: StateTxn, service: ServiceRow): void {
  const group = txn.get(checkGroupsTable, checkGroupKey(service.Node, service.ID));
  if (group === undefined) {
    txn.put(checkGroupsTable, makeCheckGroup(service.Node, service.ID, []));
    return;
  }
  for (const checkId of group.CheckIDs) {
    const check = txn.get(checksTable, checkKey(service.Node, checkId));
    if (check !== undefined) ensureCheck(txn, check);
  }
}

/** Removes an instance's group and its checks. */
export function removeCheckGroup(txn: StateTxn, service: ServiceRow): void {
  const key = checkGroupKey(service.Node, service.ID);
  const group = txn.get(checkGroupsTable, key);
  if (group === undefined) return;
  txn.remove(checkGroupsTable, key);
  for (const checkId of group.CheckIDs) removeCheck(txn, service.Node, checkId);
}

function joinGroup(txn: StateTxn, check: HealthCheck): void {
  const group = txn.get(checkGroupsTable, checkGroupKey(check.Node, check.ServiceID));
  const checkIds = [...(group?.CheckIDs ?? []), check.CheckID].sort(byKeyOrder);
  txn.put(checkGroupsTable, makeCheckGroup(check.Node, group?.ServiceID ?? check.ServiceID, checkIds));
}

function leaveGroup(txn: StateTxn, check: HealthCheck): void {
  const group = txn.get(checkGroupsTable, checkGroupKey(check.Node, check.ServiceID));
  if (group === undefined) return;
  const left = foldName(check.CheckID);
  const checkIds = group.CheckIDs.filter((checkId) => foldName(checkId) !== left);
  txn.put(checkGroupsTable, makeCheckGroup(group.Node, group.ServiceID, checkIds));
}

function byKeyOrder(left: string, right: string): number {
  const a = foldName(left);
  const b = foldName(right);
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
