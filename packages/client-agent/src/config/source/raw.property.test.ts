import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeRaw, type RawConfig } from './raw.ts';

const text = fc.string({ maxLength: 3 });
const nullMap = fc.dictionary(text, text, { maxKeys: 3 }).map((entries) => Object.assign(Object.create(null) as object, entries));
/** Keys have one type each, as options do. */
const source: fc.Arbitrary<RawConfig> = fc
  .record({ scalar: fc.integer(), list: fc.array(text, { maxLength: 3 }), map: nullMap, flag: fc.boolean() }, { requiredKeys: [] })
  .map((entries) => new Map(Object.entries(entries)));

function plain(config: RawConfig): Record<string, unknown> {
  return Object.fromEntries(
    [...config].map(([key, value]) => [key, typeof value === 'object' && !Array.isArray(value) ? { ...value } : value]),
  );
}

/** The rule as the documentation states it, key by key. */
function naiveMerge(sources: readonly RawConfig[]): Record<string, unknown> {
  const values = (key: string): unknown[] => sources.filter((entry) => entry.has(key)).map((entry) => entry.get(key));
  const out: Record<string, unknown> = {};
  if (values('scalar').length > 0) out['scalar'] = values('scalar').at(-1);
  if (values('flag').length > 0) out['flag'] = values('flag').at(-1);
  if (values('list').length > 0) out['list'] = values('list').flat();
  if (values('map').length > 0) out['map'] = Object.assign({}, ...values('map'));
  return out;
}

describe('merging configuration (consul-facts K001)', () => {
  it('agrees with the rule: scalars override, lists append, maps overlay', () => {
    fc.assert(
      fc.property(fc.array(source, { maxLength: 5 }), (sources) => {
        expect(plain(mergeRaw(sources))).toEqual(naiveMerge(sources));
      }),
    );
  });

  it('does not depend on how sources are grouped', () => {
    fc.assert(
      fc.property(source, source, source, (a, b, c) => {
        expect(plain(mergeRaw([mergeRaw([a, b]), c]))).toEqual(plain(mergeRaw([a, mergeRaw([b, c])])));
      }),
    );
  });

  it('leaves its sources alone', () => {
    fc.assert(
      fc.property(source, source, (a, b) => {
        const before = JSON.stringify([plain(a), plain(b)]);
        mergeRaw([a, b]);
        expect(JSON.stringify([plain(a), plain(b)])).toBe(before);
      }),
    );
  });
});
