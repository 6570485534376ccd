import type { Coordinate } from '@lictor/protocol';
import { coordinateKey, coordinatesTable } from '../../../state/tables/coordinates.ts';
import type { StateReader } from '../../../state/types.ts';

/** Servers of the open edition know one segment, the empty one. */
const SEGMENT = '';

/**
 * Sorts by round-trip time from the node `near`, nodes without a coordinate last, ties as they were. Without `near`, or when its
 * own coordinate is unknown, the order stays. Coordinates only order the answer, so they never wake a query. Nothing is nearer to a node
 * than itself: by its coordinate alone, the cost of its own network counts twice.
 */
export function sortByDistance<Row>(
  reader: StateReader,
  near: string | undefined,
  rows: readonly Row[],
  nodeOf: (row: Row) => string,
): readonly Row[] {
  if (near === undefined || near === '') return rows;
  const origin = coordinateOf(reader, near);
  if (origin === undefined) return rows;
  const distanceTo = (node: string): number => (node === near ? 0 : distanceBetween(origin, coordinateOf(reader, node)));
  const measured = rows.map((row) => ({ row, distance: distanceTo(nodeOf(row)) }));
  measured.sort((left, right) => (left.distance === right.distance ? 0 : left.distance - right.distance));
  return measured.map(({ row }) => row);
}

function coordinateOf(reader: StateReader, node: string): Coordinate | undefined {
  return reader.peek(coordinatesTable, coordinateKey(node, SEGMENT))?.Coord;
}

/** Estimated round-trip time in seconds (Vivaldi with heights and adjustments); infinite when unknown. */
export function distanceBetween(left: Coordinate, right: Coordinate | undefined): number {
  if (right === undefined || left.Vec.length !== right.Vec.length) return Number.POSITIVE_INFINITY;
  let sumOfSquares = 0;
  for (let dimension = 0; dimension < left.Vec.length; dimension++) {
    const difference = (left.Vec[dimension] ?? 0) - (right.Vec[dimension] ?? 0);
    sumOfSquares += difference * difference;
  }
  const raw = Math.sqrt(sumOfSquares) + left.Height + right.Height;
  const adjusted = raw + left.Adjustment + right.Adjustment;
  return adjusted > 0 ? adjusted : raw;
}
