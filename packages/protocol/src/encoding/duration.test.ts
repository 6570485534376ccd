import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from './duration.ts';

describe("Go's time.ParseDuration", () => {
  it.each([
    ['0', 0],
    ['-0', 0],
    ['+0', 0],
    ['10s', 10_000],
    ['1h30m', 5_400_000],
    ['1.5s', 1500],
    ['.5s', 500],
    ['1.s', 1000],
    ['250ms', 250],
    ['1us', 0.001],
    ['1µs', 0.001],
    ['100ns', 0.0001],
    ['-10s', -10_000],
    ['+10s', 10_000],
    ['72h', 259_200_000],
  ])('%s is %d ms', (text, durationMs) => {
    expect(parseDuration(text)).toBeCloseTo(durationMs, 9);
  });

  it.each(['', '10', 's', '10x', '1 s', '-', '1d', '10s ', '1e3s', 'abc', '9999999999h', '.s'])('%j is none', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});

describe("Go's Duration.String", () => {
  it.each([
    [0, '0s'],
    [1500, '1.5s'],
    [250, '250ms'],
    [60_000, '1m0s'],
    [3_600_000, '1h0m0s'],
    [259_200_000, '72h0m0s'],
    [0.001, '1µs'],
    [0.0001, '100ns'],
    [-1500, '-1.5s'],
  ])('%d ms is %s', (durationMs, text) => {
    expect(formatDuration(durationMs)).toBe(text);
  });

  it('is read back as what it was', () => {
    fc.assert(
      fc.property(fc.integer({ min: -86_400_000, max: 86_400_000 }), (durationMs) => {
        expect(parseDuration(formatDuration(durationMs))).toBeCloseTo(durationMs, 6);
      }),
    );
  });
});
