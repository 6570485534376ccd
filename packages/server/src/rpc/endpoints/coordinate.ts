import { type Coordinate, LictorError } from '@lictor/protocol';
import type { CoordinateUpdate } from '../../fsm/commands/coordinate.ts';
import { isName } from '../../fsm/catalog/shapes.ts';
import { coordinatesTable } from '../../state/tables/coordinates.ts';
import { keyPrefix } from '../../state/tables/keys.ts';
import type { ReadEndpoint, ReadEndpoints, WriteEndpoint, WriteEndpoints } from '../types.ts';
import { requireAccess, visible } from './shared/acl.ts';

/** Serf's Vivaldi configuration. */
const DIMENSIONS = 8;

/** Takes updates and proposes them in batches: leader/coordinate-batch.ts. */
export interface CoordinateSink {
  add(update: CoordinateUpdate): void;
}

/** PUT /v1/coordinate/update answers at once; the update is in the state within a batch period. */
export function createCoordinateWrites(sink: CoordinateSink) {
  const update: WriteEndpoint<'Coordinate.Update'> = async ({ Node: node, Segment: segment, Coord: coord }, context) => {
    if (!isFinite(coord)) throw new LictorError('rejected', 'invalid coordinate');
    if (coord.Vec.length !== DIMENSIONS) throw new LictorError('rejected', 'incompatible coordinate');
    requireAccess(context.authorizer, 'node', node, 'write');
    if (!isName(node) || !isName(segment)) throw new LictorError('invalid-argument', 'Invalid name: control characters are not allowed');
    sink.add({ Node: node, Segment: segment, Coord: coord });
    return { index: context.reader().appliedIndex, value: undefined };
  };
  return { 'Coordinate.Update': update } satisfies WriteEndpoints;
}

function isFinite(coord: Coordinate): boolean {
  return [...coord.Vec, coord.Error, coord.Adjustment, coord.Height].every((number) => Number.isFinite(number));
}

const listNodes: ReadEndpoint<'Coordinate.ListNodes'> = (reader, _request, context) =>
  visible(context, [...reader.scan(coordinatesTable)], (row) => context.authorizer.allows('node', row.Node, 'read'));

const ofNode: ReadEndpoint<'Coordinate.Node'> = (reader, { node }, context) => {
  requireAccess(context.authorizer, 'node', node, 'read');
  return [...reader.scan(coordinatesTable, keyPrefix(node))];
};

export const coordinateReads = { 'Coordinate.ListNodes': listNodes, 'Coordinate.Node': ofNode } satisfies ReadEndpoints;
