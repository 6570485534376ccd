import type { Coordinate } from '../types.ts';

/** Beyond what any two places on Earth are apart: a coordinate out there is a mistake or a lie. Seconds. */
const MAX_COMPONENT = 100;
export const DIMENSIONS = 8;
/** Seconds; no access link is faster. */
export const MIN_HEIGHT = 10e-6;
export const MAX_ERROR = 1.5;

export const ORIGIN: Coordinate = Object.freeze({
  vec: Object.freeze(Array.from({ length: DIMENSIONS }, () => 0)),
  error: MAX_ERROR,
  adjustment: 0,
  height: MIN_HEIGHT,
});

/** Whether it can be one of this pool's: of as many dimensions, finite, and not out of this world. */
export function isPlausible({ vec, error, adjustment, height }: Coordinate): boolean {
  const isSmall = (value: number): boolean => Number.isFinite(value) && Math.abs(value) <= MAX_COMPONENT;
  return vec.length === DIMENSIONS && [...vec, error, adjustment, height].every(isSmall) && height >= 0 && error >= 0;
}

/** Estimated round-trip time in seconds. Adjustments, which may be negative, count only while they leave something. */
export function distance(one: Coordinate, other: Coordinate): number {
  const raw = rawDistance(one, other);
  const adjusted = raw + one.adjustment + other.adjustment;
  return adjusted > 0 ? adjusted : raw;
}

/** Without adjustments: the way through the network, and the two access links (Vivaldi 5.4). */
export function rawDistance(one: Coordinate, other: Coordinate): number {
  return magnitude(difference(one.vec, other.vec)) + one.height + other.height;
}

export function difference(one: readonly number[], other: readonly number[]): number[] {
  return one.map((value, dimension) => value - (other[dimension] ?? 0));
}

export function magnitude(vec: readonly number[]): number {
  return Math.sqrt(vec.reduce((sum, value) => sum + value * value, 0));
}
