import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson, stringifyJson } from './json.ts';

const LOCK_FLAG = 0x2ddccbc058a50c18n;

describe('JSON with 64-bit integers', () => {
  it('keeps every digit of a flag above 2^53 (consul-facts T012)', () => {
    expect(parseJson(`[{"Flags":${LOCK_FLAG}}]`)).toEqual([{ Flags: LOCK_FLAG }]);
    expect(stringifyJson({ Flags: LOCK_FLAG })).toBe(`{"Flags":${LOCK_FLAG}}`);
  });

  it('leaves texts that look like numbers alone', () => {
    const value = { a: '12345678901234567890', b: [': 12345678901234567890'], c: 1.5, d: 1e300 };
    expect(parseJson(JSON.stringify(value))).toEqual(value);
  });

  it('agrees with JSON.parse but for the digits', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        expect(JSON.parse(stringifyJson(parseJson(text)))).toEqual(JSON.parse(text));
      }),
    );
  });

  it('round-trips any uint64', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (number) => {
        const parsed = parseJson(stringifyJson([number])) as readonly (number | bigint)[];
        expect(BigInt(parsed[0] ?? -1)).toBe(number);
      }),
    );
  });
});
