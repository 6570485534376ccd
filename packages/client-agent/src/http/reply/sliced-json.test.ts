import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeJson } from './encode-json.ts';
import { encodeList, encodeRecord } from './sliced-json.ts';

const item = fc.record({
  Name: fc.string(),
  Tags: fc.array(fc.string({ maxLength: 4 }), { maxLength: 3 }),
  Meta: fc.constantFrom({}, { a: '<b>' }),
});

const lists = fc.oneof(
  fc.array(item, { maxLength: 5 }),
  fc.array(item, { minLength: 257, maxLength: 600 }),
  fc.array(
    item.map((each) => ({ ...each, Name: each.Name.repeat(40_000) })),
    { maxLength: 10 },
  ),
);

describe('long lists and maps, written in slices', () => {
  it('are the same text as in one go, also when there is much in each', async () => {
    await fc.assert(
      fc.asyncProperty(lists, fc.boolean(), async (items, indent) => {
        expect((await encodeList(items, (value) => value, indent)).toString()).toBe(encodeJson(items, indent));
        const record = Object.fromEntries(items.map((value, position) => [`<${position}>${value.Name}`, value]));
        expect((await encodeRecord(record, indent)).toString()).toBe(encodeJson(record, indent));
      }),
      { numRuns: 40 },
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

  it('take turns: a short one is not kept waiting by a long one', async () => {
    const order: string[] = [];
    const list = (length: number): readonly string[] => Array.from({ length }, (_, position) => `instance-${position}`);
    const long = encodeList(list(500_000), (value) => value, false) as Promise<unknown>;
    const short = encodeList(list(300), (value) => value, false) as Promise<unknown>;
    await Promise.all([long.then(() => order.push('long')), short.then(() => order.push('short'))]);
    expect(order).toEqual(['short', 'long']);
  });

  it('are written in slices when they are short and there is much in each', async () => {
    const items = Array.from({ length: 200 }, () => 'x'.repeat(100_000));
    const encoded = encodeList(items, (value) => value, false);
    expect(encoded).toBeInstanceOf(Promise);
    expect((await encoded).toString()).toBe(JSON.stringify(items));
  });

  it('are written at once when they are short', () => {
    expect(encodeList([1, 2], (value) => value, false)).toBe('[1,2]');
    expect(encodeRecord({}, true)).toBe('{}');
    expect(encodeList([], (value) => value, true)).toBe('[]');
  });
});
