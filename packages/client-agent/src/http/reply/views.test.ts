import { describe, expect, it } from 'vitest';
import { encodeJson } from './encode-json.ts';
import { sharedView } from './views.ts';

describe('JSON as encoding/json writes it', () => {
  it('is compact, or indented by four spaces', () => {
    expect(encodeJson({ A: [1, {}], B: [] }, false)).toBe('{"A":[1,{}],"B":[]}');
    expect(encodeJson({ A: [1] }, true)).toBe('{\n    "A": [\n        1\n    ]\n}');
  });

  it('escapes what a browser could take for markup', () => {
    expect(encodeJson({ a: '<script>&\u2028' }, false)).toBe('{"a":"\\u003cscript\\u003e\\u0026\\u2028"}');
  });

  it('keeps a __proto__ key as data', () => {
    const meta = Object.create(null) as Record<string, string>;
    meta['__proto__'] = 'x';
    expect(encodeJson(meta, false)).toBe('{"__proto__":"x"}');
  });
});

describe('one encode, many answers (design.md section 3)', () => {
  it('serialises a value once for all who get that very object', () => {
    let encoded = 0;
    const view = sharedView((value: { readonly n: number }) => {
      encoded++;
      return value;
    });
    const value = { n: 1 };
    expect(view(value, false)).toBe(view(value, false));
    expect(encoded).toBe(1);
    expect(view({ n: 1 }, false)).toEqual(view(value, false));
    expect(encoded).toBe(2);
  });

  it('keeps the compact and the indented form apart', () => {
    const view = sharedView((value: object) => value);
    const value = { n: 1 };
    expect(view(value, false)).toBe('{"n":1}');
    expect(view(value, true)).toBe('{\n    "n": 1\n}');
  });
});
