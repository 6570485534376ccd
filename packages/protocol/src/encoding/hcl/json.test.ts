import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HclError } from './hcl-error.ts';
import { parseJsonWithPositions } from './json.ts';

function problem(text: string): string {
  try {
    parseJsonWithPositions(text, { filename: 'a.json' });
  } catch (error) {
    if (error instanceof HclError) return error.message;
    throw error;
  }
  return 'accepted';
}

describe('JSON with positions (RFC 8259)', () => {
  it.each([
    ['{"a":1,}', 'a.json: At 1:8: invalid character "}" looking for beginning of object key string'],
    ['{"a" 1}', 'a.json: At 1:6: invalid character "1" after object key'],
    ['{"a":1 "b":2}', 'a.json: At 1:8: invalid character "\\"" after object key:value pair'],
    ['{"a":[1 2]}', 'a.json: At 1:9: invalid character "2" after array element'],
    ['{"a":01}', 'a.json: At 1:7: invalid character "1" after object key:value pair'],
    ['{"a":.5}', 'a.json: At 1:6: invalid character "." looking for beginning of value'],
    ['{"a":"\\x"}', 'a.json: At 1:7: invalid character "\\\\" in string escape code'],
    ['{"a":"x\ny"}', 'a.json: At 1:8: invalid character "\\n" in string literal'],
    ['{"a":', 'a.json: At 1:6: unexpected end of JSON input'],
    ['{"a":1}x', 'a.json: At 1:8: invalid character "x" after top-level value'],
    ['[1]', 'a.json: At 1:1: expected an object at the top level'],
    ['', 'a.json: At 1:1: unexpected end of JSON input'],
    ['{"a":{"b":1,\n"b":2}}', 'a.json: At 2:1: duplicate key "b"'],
    ['{"a":1,"\\u0061":2}', 'a.json: At 1:8: duplicate key "a"'],
  ])('%j', (text, message) => {
    expect(problem(text)).toBe(message);
  });

  it('accepts exactly what JSON.parse accepts, duplicate keys apart', () => {
    const pieces = ['{', '}', '[', ']', ',', ':', '"a"', '"b"', '1', '-0.5e+3', 'true', 'null', ' ', '"\\u00e9"', '\n'];
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((parts) => `{${parts.join('')}}`),
        (text) => {
          let expected: unknown;
          try {
            expected = JSON.parse(text);
          } catch {
            expect(problem(text)).not.toBe('accepted');
            return;
          }
          const found = problem(text);
          if (found.includes('duplicate key')) return;
          expect(found).toBe('accepted');
          expect(JSON.stringify(parseJsonWithPositions(text).value)).toBe(JSON.stringify(expected));
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('answers null-prototype objects and lines', () => {
    const document = parseJsonWithPositions('{\n "__proto__": {\n  "x": [1,\n   {"y": 2}] } }');
    expect(Object.getPrototypeOf(document.value)).toBeNull();
    expect(document.lineOf(['__proto__', 'x', 1, 'y'])).toBe(4);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });
});
