import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OrderedMap } from './ordered-map.ts';

const key = fc.string({ unit: fc.constantFrom('a', 'b', '/', '\u0000', '\uffff'), maxLength: 4 });

describe('OrderedMap', () => {
  it('agrees with a sorted array, and a clone never sees what is written to the original', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('set', 'delete', 'clone'), key, fc.nat(9)), { maxLength: 200 }),
        key,
        (steps, prefix) => {
          const map = new OrderedMap<number>();
          const naive = new Map<string, number>();
          const clones: [OrderedMap<number>, Map<string, number>][] = [];
          for (const [step, name, value] of steps) {
            if (step === 'set') {
              map.set(name, value);
              naive.set(name, value);
            } else if (step === 'delete') {
              expect(map.delete(name)).toBe(naive.delete(name));
            } else {
              clones.push([map.clone(), new Map(naive)]);
            }
          }
          for (const [actual, expected] of [...clones, [map, naive] as const]) {
            expect(listed(actual, '')).toEqual(sorted(expected, ''));
            expect(listed(actual, prefix)).toEqual(sorted(expected, prefix));
            expect(actual.size).toBe(expected.size);
          }
        },
      ),
    );
  });
});

function listed(map: OrderedMap<number>, prefix: string): [string, number][] {
  const entries: [string, number][] = [];
  map.forEach(prefix, (value, name) => entries.push([name, value]));
  return entries;
}

function sorted(map: ReadonlyMap<string, number>, prefix: string): [string, number][] {
  return [...map].filter(([name]) => name.startsWith(prefix)).sort(([left], [right]) => (left < right ? -1 : 1));
}
