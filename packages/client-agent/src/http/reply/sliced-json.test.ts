import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeJson } from './encode-json.ts';
import { encodeList, encodeRecord } from './sliced-json.ts';

const item = fc.record({
  Name: fc.string(),
  Tags: fc.array(fc.string({ maxLength: 4 }), { maxLength: 3 }),
  Meta: fc.constantFrom({}, { a: '<b>' }),
});

describe('long lists and maps, written in slices', () => {
  it('are the same text as in one go', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(item, { minLength: 257, maxLength: 600 }), fc.boolean(), async (items, indent) => {
        expect((await encodeList(items, (value) => value, indent)).toString()).toBe(encodeJson(items, indent));
        const record = Object.fromEntries(items.map((value, position) => [`<${position}>${value.Name}`, value]));
        expect((await encodeRecord(record, indent)).toString()).toBe(encodeJson(record, indent));
      }),
      { numRuns: 20 },
    );
  });

  it('let the event loop in between', async () => {
    const items = Array.from({ length: 50_000 }, (_, position) => ({ Name: `instance-${position}`, Tags: ['a', 'b'], Port: position }));
    let turns = 0;
    let running = true;
    const count = (): void => {
      turns++;
      if (running) setImmediate(count);
    };
    setImmediate(count);
    await encodeList(items, (value) => value, true);
    running = false;
    expect(turns).toBeGreaterThan(3);
  });

  it('are written at once when they are short', () => {
    expect(encodeList([1, 2], (value) => value, false)).toBe('[1,2]');
    expect(encodeRecord({}, true)).toBe('{}');
    expect(encodeList([], (value) => value, true)).toBe('[]');
  });
});
