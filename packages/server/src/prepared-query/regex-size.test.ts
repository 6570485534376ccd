import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
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
