import { float, type Infer, list, object, string } from '../schema/index.ts';

/** A Vivaldi network coordinate, seconds. */
export const coordinate = object({ Vec: list(float(), 64), Error: float(), Adjustment: float(), Height: float() });
export type Coordinate = Infer<typeof coordinate>;

export interface NodeCoordinate {
  readonly Node: string;
  readonly Segment: string;
  readonly Coord: Coordinate;
}

/** Body of PUT /v1/coordinate/update. */
export const coordinateUpdateRequest = object({ Node: string(), Segment: string(), Partition: string(), Coord: coordinate });
export type CoordinateUpdateRequest = Infer<typeof coordinateUpdateRequest>;
