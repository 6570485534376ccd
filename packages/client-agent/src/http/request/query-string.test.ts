import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseQueryString } from './query-string.ts';

describe('query strings (Go url.ParseQuery)', () => {
  it('takes the first of several values, and all of them in order', () => {
    const query = parseQueryString('tag=a&tag=b&near=_agent');
    expect(query?.get('tag')).toBe('a');
    expect(query?.all('tag')).toEqual(['a', 'b']);
    expect(query?.get('absent')).toBe('');
  });

  it('tells a parameter without a value from an absent one', () => {
    const query = parseQueryString('stale&recurse=');
    expect(query?.has('stale')).toBe(true);
    expect(query?.has('recurse')).toBe(true);
    expect(query?.has('consistent')).toBe(false);
  });

  it('reads plus as a space and escapes as UTF-8', () => {
    expect(parseQueryString('filter=a+b%2Bc%C3%A9')?.get('filter')).toBe('a b+cé');
  });

  it.each(['a=%zz', 'a=%2', '%=1', 'a=%ff', 'a;b=1'])('refuses %s', (raw) => {
    expect(parseQueryString(raw)).toBeUndefined();
  });

  it('refuses more parameters than anyone needs', () => {
    expect(parseQueryString('a=1&'.repeat(2_000))).toBeUndefined();
  });

  it('encodes sorted by name, as texts about conflicting flags show it', () => {
    expect(parseQueryString('recurse&cas=1')?.encode()).toBe('cas=1&recurse=');
  });

  it('agrees with URLSearchParams on well-formed input', () => {
    const pair = fc.tuple(fc.string({ unit: 'grapheme', minLength: 1 }), fc.string({ unit: 'grapheme' }));
    fc.assert(
      fc.property(fc.array(pair, { minLength: 1, maxLength: 8 }), (pairs) => {
        const reference = new URLSearchParams(pairs);
        const query = parseQueryString(reference.toString());
        for (const [name] of pairs) expect(query?.all(name)).toEqual(reference.getAll(name));
      }),
    );
  });
});
