import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileRegex } from './regex.ts';
import { regexSize } from './regex-size.ts';

describe('the size of a regular expression', () => {
  it.each([
    ['', 0],
    ['abc', 3],
    ['a{100}', 100],
    ['a{3}{4}', 12],
    ['(ab){10}', 40],
    ['((a{10}){10}){10}', 1220],
    ['[a-z{5}\\]]{7}', 7],
    ['[]a]{2}x', 3],
    ['[^]a]{2}x', 3],
    ['\\({3}', 3],
    ['a{2,50}b{3,}', 53],
    ['^geo-(.*?)-([^-]+)$', 16],
    ['(((', 6],
    ['{9}', 0],
    [')a{2', 4],
  ])('counts %s', (pattern, size) => {
    expect(regexSize(pattern)).toBe(size);
  });

  it('grows with every repetition, agrees with writing it out, and takes any text', () => {
    const atom = fc.constantFrom('a', '.', '[x-z]', '\\d', '(?:ab)', '(c|d)');
    fc.assert(
      fc.property(atom, fc.integer({ min: 1, max: 20 }), (piece, times) => {
        expect(regexSize(`${piece}{${times}}`)).toBe(regexSize(piece.repeat(times)));
      }),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(regexSize(text)).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

describe('a pattern that compiles to much', () => {
  it.each(['a{1000}'.repeat(5), '((a{100}){10}){10}', '(ab{999}c{999}){4}'])('is refused before it is compiled (%#)', (pattern) => {
    expect(() => compileRegex(pattern)).toThrow('regular expression is too large: more than 4096 parts, repetitions counted');
  });

  it('is not one of those that people write', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', '(', ')', '|', '*', '[', ']', '\\', '?'), maxLength: 60 }), (text) => {
        if (isRegex(text)) expect(regexSize(text)).toBeLessThanOrEqual(text.length);
      }),
    );
    expect(() => compileRegex(`/(${Array.from({ length: 400 }, (_, at) => `path-${at}`).join('|')})`)).not.toThrow();
    const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
    const address = '(25[0-5]|2[0-4]\\d|1?\\d?\\d)(\\.(25[0-5]|2[0-4]\\d|1?\\d?\\d)){3}';
    const host = '([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,63}';
    for (const pattern of [uuid, address, host, `/(${uuid}|${address}|${host})/.*`]) expect(() => compileRegex(pattern)).not.toThrow();
  });
});

function isRegex(text: string): boolean {
  try {
    compileRegex(text);
    return true;
  } catch {
    return false;
  }
}
