import { describe, expect, it } from 'vitest';
import { leafHealth } from './expiry.ts';

const HOUR_MS = 3_600_000;
const LEAF = { notBeforeMs: 0, notAfterMs: 72 * HOUR_MS };

describe("a leaf's health (design.md 7.7)", () => {
  it.each([
    [0, 'valid'],
    [65 * HOUR_MS, 'valid'],
    [69 * HOUR_MS, 'overdue'],
    [72 * HOUR_MS, 'expired'],
    // A laptop that slept: nothing counted the hours, the comparison finds out.
    [1000 * HOUR_MS, 'expired'],
  ])('after %d ms is %s', (nowMs, health) => {
    expect(leafHealth(LEAF, nowMs)).toBe(health);
  });
});
