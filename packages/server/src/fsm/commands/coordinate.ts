import type { Coordinate } from '@lictor/protocol';
import { coordinateKey, coordinatesTable } from '../../state/tables/coordinates.ts';
import { nodeKey, nodesTable } from '../../state/tables/nodes.ts';
import type { StateTxn } from '../../state/types.ts';
import { isName, isObject } from '../catalog/shapes.ts';
import { sameValue } from '../catalog/same-content.ts';
import { total } from '../catalog/total.ts';
import type { CommandHandlers } from '../types.ts';

export const COORDINATE_BATCH_UPDATE = 'coordinate.batch-update';

export interface CoordinateUpdate {
  readonly Node: string;
  readonly Segment: string;
  readonly Coord: Coordinate;
}

export interface CoordinateBatchBody {
  readonly updates: readonly CoordinateUpdate[];
}

export const coordinateCommands = {
  [COORDINATE_BATCH_UPDATE]: total(COORDINATE_BATCH_UPDATE, isBatchBody, applyBatch),
} satisfies CommandHandlers;

/** Nodes that left since are skipped: a coordinate must not outlive its node. */
function applyBatch(txn: StateTxn, { updates }: CoordinateBatchBody): null {
  for (const { Node: name, Segment: segment, Coord: coord } of updates) {
    const node = txn.get(nodesTable, nodeKey(name));
    if (node === undefined) continue;
    const existing = txn.get(coordinatesTable, coordinateKey(name, segment));
    if (existing !== undefined && sameValue(existing.Coord, coord)) continue;
    txn.put(coordinatesTable, { Node: node.Node, Segment: segment, Coord: coord, CreateIndex: 0, ModifyIndex: 0 });
  }
  return null;
}

function isBatchBody(value: unknown): value is CoordinateBatchBody {
  return isObject(value) && Array.isArray(value.updates) && value.updates.every(isUpdate);
}

function isUpdate(value: unknown): value is CoordinateUpdate {
  if (!isObject(value) || typeof value.Node !== 'string' || typeof value.Segment !== 'string') return false;
  const { Coord: coord } = value;
  if (!isName(value.Node) || !isName(value.Segment) || !isObject(coord)) return false;
  const numbers = [coord.Error, coord.Adjustment, coord.Height, ...(Array.isArray(coord.Vec) ? coord.Vec : [Number.NaN])];
  return numbers.every((number) => typeof number === 'number' && Number.isFinite(number));
}
