import type { Node } from '@lictor/protocol';
import type { Table } from '../types.ts';
import { foldAddress, foldName } from './keys.ts';

/**
 * Nodes by folded name.
 *
 * `name` repeats the primary key as an index, because what a query about an unknown node may be labelled with is the index at
 * which a node last vanished, not the table's (observed: GET /v1/catalog/node/nope).
 */
export const nodesTable: Table<Node> = {
  name: 'nodes',
  key: (row) => foldName(row.Node),
  indexes: {
    name: (row) => [foldName(row.Node)],
    id: (row) => (row.ID === '' ? [] : [foldName(row.ID)]),
    address: (row) => (row.Address === '' ? [] : [foldAddress(row.Address)]),
  },
};

export function nodeKey(node: string): string {
  return foldName(node);
}
