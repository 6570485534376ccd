import { seededRandom } from '@lictor/protocol/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LeafMachine } from './machine.ts';

const HOUR_MS = 3_600_000;
const LIFE = { validFromMs: 0, validUntilMs: 72 * HOUR_MS, rootId: 'r1' };

function renewAt(machine: LeafMachine): number {
  if (machine.state.kind !== 'valid') throw new Error(`state is ${machine.state.kind}`);
  return machine.state.renewAtMs;
}

describe('when a leaf is renewed (consul-facts P023)', () => {
  it('falls between 60 and 90 percent of its life, at random', () => {
    const points = new Set<number>();
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const machine = new LeafMachine(seededRandom(seed), 30_000);
        machine.request();
        machine.signed(LIFE);
        points.add(renewAt(machine));
        expect(renewAt(machine)).toBeGreaterThanOrEqual(0.6 * LIFE.validUntilMs);
        expect(renewAt(machine)).toBeLessThanOrEqual(0.9 * LIFE.validUntilMs);
      }),
    );
    expect(points.size).toBeGreaterThan(10);
  });

  it('starts once: not again while a signature is under way', () => {
    const machine = new LeafMachine(seededRandom(1), 30_000);
    expect(machine.request()).toBe(true);
    expect(machine.request()).toBe(false);
    machine.signed(LIFE);
    expect(machine.tick(renewAt(machine) - 1)).toBe(false);
    expect(machine.tick(renewAt(machine))).toBe(true);
    expect(machine.tick(LIFE.validUntilMs)).toBe(false);
  });

  it('follows another root within the spread, and not a root that signed it already', () => {
    const machine = new LeafMachine(seededRandom(1), 30_000);
    machine.request();
    machine.signed(LIFE);
    const before = renewAt(machine);
    machine.rootChanged(1_000, 'r1');
    expect(renewAt(machine)).toBe(before);
    machine.rootChanged(1_000, 'r2');
    expect(renewAt(machine)).toBeGreaterThanOrEqual(1_000);
    expect(renewAt(machine)).toBeLessThanOrEqual(31_000);
  });

  it('keeps the leaf after a failure: rate limits wait for a slot in 30 s, other failures back off to a minute', () => {
    const machine = new LeafMachine(seededRandom(1), 30_000);
    machine.request();
    machine.signed(LIFE);
    machine.tick(LIFE.validUntilMs);
    machine.failed(1_000_000, true);
    expect(renewAt(machine)).toBeLessThanOrEqual(1_030_000);
    let longest = 0;
    for (let round = 0; round < 10; round++) {
      const nowMs = renewAt(machine);
      machine.tick(nowMs);
      machine.failed(nowMs, false);
      longest = Math.max(longest, renewAt(machine) - nowMs);
    }
    expect(longest).toBeGreaterThan(25_000);
    expect(longest).toBeLessThanOrEqual(60_000);
  });

  it('lets the next caller try again when there never was a leaf', () => {
    const machine = new LeafMachine(seededRandom(1), 30_000);
    machine.request();
    machine.failed(0, false);
    expect(machine.request()).toBe(true);
  });
});
