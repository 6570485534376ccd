import type { Random } from '@lictor/protocol';
import type { Coordinate } from '../types.ts';
import { difference, distance, isPlausible, magnitude, MAX_ERROR, MIN_HEIGHT, ORIGIN, rawDistance } from './coordinate.ts';

/** How much one measurement may change the error, and the place (Vivaldi 3.4, c_e and c_c). */
const ERROR_GAIN = 0.25;
const PLACE_GAIN = 0.25;
/** Below this, seconds count as nothing. */
const NOTHING = 1e-6;
/** Measurements of which the adjustment is the mean (Ledlie and others, 4.2). */
const ADJUSTMENT_WINDOW = 20;
/** Of the last so many measurements to one member the median counts (Ledlie and others, 4.1). */
const LATENCY_FILTER = 3;
/** How far from the origin gravity becomes strong: the pool as a whole does not drift away (Ledlie and others, 4.3). Seconds. */
const GRAVITY_RHO = 150;
/** A measurement beyond it is none. Seconds. */
const MAX_RTT = 10;

/** This member's place in the network, moved by each round-trip time as by a spring (Dabek, Cox, Kaashoek, Morris 2004). */
export class Vivaldi {
  readonly #random: Random;
  #place: Coordinate = ORIGIN;
  readonly #latencies = new Map<string, number[]>();
  readonly #adjustments: number[] = Array.from({ length: ADJUSTMENT_WINDOW }, () => 0);
  #nextAdjustment = 0;
  /** Times that the place became impossible, and began anew. */
  resets = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  get coordinate(): Coordinate {
    return this.#place;
  }

  /** @returns whether the measurement was believed. `rttSeconds`: from here to `node`, whose place is `other`. */
  update(node: string, other: Coordinate, rttSeconds: number): boolean {
    if (!isPlausible(other) || !(rttSeconds >= 0 && rttSeconds <= MAX_RTT)) return false;
    const rtt = Math.max(NOTHING, this.#filter(node, rttSeconds));
    this.#spring(other, rtt);
    this.#adjust(other, rtt);
    this.#gravity();
    if (!isPlausible(this.#place)) {
      this.#place = ORIGIN;
      this.resets++;
    }
    return true;
  }

  forget(node: string): void {
    this.#latencies.delete(node);
  }

  #filter(node: string, rtt: number): number {
    const recent = [...(this.#latencies.get(node) ?? []), rtt].slice(-LATENCY_FILTER);
    this.#latencies.set(node, recent);
    const sorted = recent.toSorted((one, other) => one - other);
    return sorted[Math.floor(sorted.length / 2)] ?? rtt;
  }

  #spring(other: Coordinate, rtt: number): void {
    const expected = distance(this.#place, other);
    const wrongness = Math.abs(expected - rtt) / rtt;
    const total = Math.max(NOTHING, this.#place.error + other.error);
    // Who is sure of itself is moved little, and most by one that is sure.
    const weight = this.#place.error / total;
    const error = Math.min(MAX_ERROR, ERROR_GAIN * weight * wrongness + this.#place.error * (1 - ERROR_GAIN * weight));
    this.#place = { ...this.#push(PLACE_GAIN * weight * (rtt - expected), other), error };
  }

  /** `force` seconds away from `other`; two at the same place part in a random direction. */
  #push(force: number, other: Coordinate): Coordinate {
    const place = this.#place;
    const apart = difference(place.vec, other.vec);
    const length = magnitude(apart);
    const isApart = length > NOTHING;
    const direction = isApart ? apart.map((value) => value / length) : this.#randomDirection();
    const vec = place.vec.map((value, dimension) => value + (direction[dimension] ?? 0) * force);
    const grown = isApart ? ((place.height + other.height) * force) / length + place.height : place.height;
    return { ...place, vec, height: Math.max(MIN_HEIGHT, grown) };
  }

  #randomDirection(): number[] {
    const vec = this.#place.vec.map(() => this.#random.float() - 0.5);
    const length = magnitude(vec);
    return length > NOTHING ? vec.map((value) => value / length) : vec.map((_, dimension) => (dimension === 0 ? 1 : 0));
  }

  #adjust(other: Coordinate, rtt: number): void {
    this.#adjustments[this.#nextAdjustment] = rtt - rawDistance(this.#place, other);
    this.#nextAdjustment = (this.#nextAdjustment + 1) % ADJUSTMENT_WINDOW;
    const sum = this.#adjustments.reduce((total, value) => total + value, 0);
    this.#place = { ...this.#place, adjustment: sum / (2 * ADJUSTMENT_WINDOW) };
  }

  #gravity(): void {
    const away = distance(this.#place, ORIGIN);
    this.#place = this.#push(-((away / GRAVITY_RHO) ** 2), ORIGIN);
  }
}
