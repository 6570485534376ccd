import type { NodeCoordinate, RaftIndex } from '@lictor/protocol';
import type { Table } from '../types.ts';
import { compositeKey } from './keys.ts';

export interface CoordinateRow extends NodeCoordinate, RaftIndex {}

/** Network coordinates by (node, segment). */
export const coordinatesTable: Table<CoordinateRow> = {
  name: 'coordinates',
  key: (row) => coordinateKey(row.Node, row.Segment),
  indexes: {},
};

export function coordinateKey(node: string, segment: string): string {
  return compositeKey(node, segment);
}
