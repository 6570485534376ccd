import type { HealthCheck, RaftIndex } from '@lictor/protocol';
import type { Table } from '../types.ts';
import { compositeKey, foldName } from './keys.ts';

/** Checks by (node, check id). */
export const checksTable: Table<HealthCheck> = {
  name: 'checks',
  key: (row) => checkKey(row.Node, row.CheckID),
  indexes: {
    service: (row) => (row.ServiceID === '' ? [] : [foldName(row.ServiceName)]),
    state: (row) => [foldName(row.Status)],
    session: (row) => {
      const { SessionName: name = '' } = row.Definition;
      return row.Type === 'session' && name !== '' ? [sessionChecksKey(row.Node, name)] : [];
    },
  },
};

/** Under which the checks are found that follow sessions of a name on a node. Folded: rows have the exact name. */
export function sessionChecksKey(node: string, sessionName: string): string {
  return compositeKey(node, sessionName);
}

export function checkKey(node: string, checkId: string): string {
  return compositeKey(node, checkId);
}

/**
 * Which checks bear on one instance, or, with an empty ServiceID, on a whole node.
 *
 * 1. A group exists as long as its instance or node does, with or without checks: a health query reads groups and checks by key
 *    and never an empty bucket, whose index would move with other services.
 * 2. A group changes when a check joins or leaves it; a check's own changes are the check's.
 */
export interface CheckGroup extends RaftIndex {
  readonly Node: string;
  readonly ServiceID: string;
  /** In key order. */
  readonly CheckIDs: readonly string[];
}

export const checkGroupsTable: Table<CheckGroup> = {
  name: 'check-groups',
  key: (row) => checkGroupKey(row.Node, row.ServiceID),
  indexes: {},
};

export function checkGroupKey(node: string, serviceId: string): string {
  return compositeKey(node, serviceId);
}
