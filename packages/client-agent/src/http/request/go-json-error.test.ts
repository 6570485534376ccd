import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { goJsonError } from './go-json-error.ts';

describe("encoding/json's error texts", () => {
  it.each([
    ['', 'EOF'],
    ['  ', 'EOF'],
    ['{', 'unexpected EOF'],
    ['{"a"', 'unexpected EOF'],
    ['[1', 'unexpected EOF'],
    ['"abc', 'unexpected EOF'],
    ['tru', 'unexpected EOF'],
    ['x', "invalid character 'x' looking for beginning of value"],
    ['{x', "invalid character 'x' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b"}', `invalid character '"' after object key:value pair`],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ['[1 2]', "invalid character '2' after array element"],
    ['[1,]', "invalid character ']' looking for beginning of value"],
    ['trux', "invalid character 'x' in literal true (expecting 'e')"],
    ['"a\nb"', "invalid character '\\n' in string literal"],
    ['"\\x"', "invalid character 'x' in string escape code"],
    ['"\\u00g0"', "invalid character 'g' in \\u hexadecimal character escape"],
    ['-x', "invalid character 'x' in numeric literal"],
    ['1.x', "invalid character 'x' after decimal point in numeric literal"],
    ['1ex', "invalid character 'x' in exponent of numeric literal"],
    ['{} x', "invalid character 'x' after top-level value"],
    ["'", "invalid character '\\'' looking for beginning of value"],
  ])('%j: %s', (text, expected) => {
    expect(goJsonError(text)).toBe(expected);
  });

  it('has an answer for everything that JSON.parse refuses', () => {
    const broken = fc
      .json()
      .chain((text) =>
        fc.tuple(fc.nat(text.length), fc.string({ maxLength: 3 })).map(([at, junk]) => text.slice(0, at) + junk + text.slice(at + 1)),
      );
    fc.assert(
      fc.property(broken, (text) => {
        try {
          JSON.parse(text);
        } catch {
          expect(goJsonError(text)).toMatch(/EOF|invalid character|max depth/);
        }
      }),
    );
  });

  it('survives nesting that would exhaust a stack', () => {
    expect(goJsonError('['.repeat(200_000))).toBe('exceeded max depth');
  });
});
