import { seededRandom } from '@lictor/protocol/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Coordinate } from '../types.ts';
import { SerfCluster } from '../testing/serf-cluster.ts';
import { distance, isPlausible, MAX_ERROR, MIN_HEIGHT, ORIGIN } from './coordinate.ts';
import { Vivaldi } from './vivaldi.ts';

/** Members on a plane, milliseconds apart, each behind an access link of its own. */
function simulate(rounds: number, noise: number): { readonly errors: number[]; readonly places: readonly Vivaldi[] } {
  const random = seededRandom(5);
  const sites = Array.from({ length: 16 }, () => ({ x: random.float() * 0.08, y: random.float() * 0.08, link: random.float() * 0.004 }));
  const truth = (one: number, other: number): number => {
    const [a, b] = [sites[one], sites[other]];
    return a === undefined || b === undefined ? 0 : Math.hypot(a.x - b.x, a.y - b.y) + a.link + b.link;
  };
  const places = sites.map((_, seed) => new Vivaldi(seededRandom(seed)));
  for (let round = 0; round < rounds; round++) {
    places.forEach((place, one) => {
      const other = Math.floor(random.float() * places.length);
      const peer = places[other];
      if (other === one || peer === undefined) return;
      const jitter = random.float() < 0.1 ? 1 + noise * 10 * random.float() : 1;
      place.update(String(other), peer.coordinate, truth(one, other) * jitter);
    });
  }
  const errors: number[] = [];
  places.forEach((one, from) =>
    places.forEach((other, to) => {
      if (from < to) errors.push(Math.abs(distance(one.coordinate, other.coordinate) - truth(from, to)) / truth(from, to));
    }),
  );
  return { errors: errors.toSorted((one, other) => one - other), places };
}

const median = (sorted: readonly number[]): number => sorted[Math.floor(sorted.length / 2)] ?? Infinity;

describe('coordinates (Vivaldi 3, 5)', () => {
  it('come to predict distances that nobody has measured', () => {
    const { errors, places } = simulate(400, 0);
    expect(median(errors)).toBeLessThan(0.05);
    for (const { coordinate } of places) expect(coordinate.error).toBeLessThan(0.2);
  });

  it('get better with time', () => {
    expect(median(simulate(400, 0).errors)).toBeLessThan(median(simulate(20, 0).errors) / 2);
  });

  it('begin unsure, and part when they begin at one place', () => {
    const place = new Vivaldi(seededRandom(1));
    expect(place.coordinate.error).toBe(MAX_ERROR);
    place.update('b', ORIGIN, 0.05);
    expect(distance(place.coordinate, ORIGIN)).toBeGreaterThan(0.005);
  });

  it('are pushed by no more than the error warrants: one that is sure moves one that is not, hardly the other way', () => {
    const sure: Coordinate = { ...ORIGIN, vec: [0.1, 0, 0, 0, 0, 0, 0, 0], error: 0.01 };
    const unsure = new Vivaldi(seededRandom(2));
    unsure.update('b', sure, 0.2);
    const moved = distance(unsure.coordinate, sure);
    expect(moved).toBeGreaterThan(0.11);
    expect(unsure.coordinate.error).toBeLessThan(MAX_ERROR);
  });
});

describe('coordinates (Ledlie and others 4)', () => {
  it('take the median of the last three measurements to a member: one outlier moves nothing', () => {
    const [with_, without] = [true, false].map((outlier) => {
      const place = new Vivaldi(seededRandom(3));
      const other: Coordinate = { ...ORIGIN, vec: [0.02, 0, 0, 0, 0, 0, 0, 0], error: 0.1 };
      for (let round = 0; round < 50; round++) place.update('b', other, outlier && round === 40 ? 5 : 0.02);
      return distance(place.coordinate, other);
    });
    expect(Math.abs((with_ ?? 0) - (without ?? 1))).toBeLessThan(0.001);
  });

  it('stay near the origin as a whole', () => {
    const { places } = simulate(2000, 1);
    for (const { coordinate } of places) expect(distance(coordinate, ORIGIN)).toBeLessThan(0.5);
  });
});

describe('lies', () => {
  it('that are no numbers, or out of this world, change nothing', () => {
    const place = new Vivaldi(seededRandom(4));
    place.update('b', ORIGIN, 0.01);
    const before = place.coordinate;
    for (const bad of [Number.NaN, Infinity, -Infinity, 1e6]) {
      expect(place.update('b', { ...ORIGIN, vec: [bad, 0, 0, 0, 0, 0, 0, 0] }, 0.01)).toBe(false);
      expect(place.update('b', { ...ORIGIN, height: bad }, 0.01)).toBe(false);
      expect(place.update('b', { ...ORIGIN, error: bad }, 0.01)).toBe(false);
    }
    for (const rtt of [Number.NaN, -1, 11, Infinity]) expect(place.update('b', ORIGIN, rtt)).toBe(false);
    expect(place.update('b', { ...ORIGIN, vec: [0, 0] }, 0.01)).toBe(false);
    expect(place.coordinate).toEqual(before);
  });

  it('within the limits never make a coordinate that is none', () => {
    const value = fc.double({ min: -100, max: 100, noNaN: true });
    const other = fc.record({
      vec: fc.array(value, { minLength: 8, maxLength: 8 }),
      error: fc.double({ min: 0, max: 100, noNaN: true }),
      adjustment: value,
      height: fc.double({ min: 0, max: 100, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(fc.tuple(other, fc.double({ min: 0, max: 10, noNaN: true })), { maxLength: 60 }), (updates) => {
        const place = new Vivaldi(seededRandom(6));
        for (const [coordinate, rtt] of updates) place.update('b', coordinate, rtt);
        expect(isPlausible(place.coordinate)).toBe(true);
        expect(place.coordinate.height).toBeGreaterThanOrEqual(MIN_HEIGHT);
        expect(place.coordinate.error).toBeLessThanOrEqual(MAX_ERROR);
      }),
    );
  });
});

describe('in a pool', () => {
  it('coordinates ride on acks, and say about how far members are apart', () => {
    const cluster = new SerfCluster({ seed: 22, nodes: 10, network: { minDelayMs: 10, maxDelayMs: 12 } }).formed().pass(300_000);
    const estimates = cluster.sim.nodes.slice(1).map(({ name }) => {
      const other = cluster.core('n1').coordinateOf(name);
      return other === undefined ? undefined : distance(cluster.core('n1').coordinate, other);
    });
    for (const estimate of estimates) {
      expect(estimate).toBeGreaterThan(0.012);
      expect(estimate).toBeLessThan(0.035);
    }
  });
});
