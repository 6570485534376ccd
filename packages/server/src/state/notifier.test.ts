import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Notifier, type Waiter } from './notifier.ts';
import type { Dependencies, NamesByGroup } from './types.ts';

type Groups = Readonly<Record<string, readonly string[]>>;

function dependsOn(parts: { tables?: readonly string[]; keys?: Groups; values?: Groups; prefixes?: Groups }): Dependencies {
  const grouped = (groups: Groups = {}): NamesByGroup => new Map(Object.entries(groups).map(([group, names]) => [group, new Set(names)]));
  return { tables: new Set(parts.tables), keys: grouped(parts.keys), values: grouped(parts.values), prefixes: grouped(parts.prefixes) };
}

describe('Notifier', () => {
  it('leaves nothing behind when waits end, and calls nobody who left', () => {
    const notifier = new Notifier();
    const called: string[] = [];
    const gone = notifier.wait(dependsOn({ tables: ['t'], keys: { t: ['k'] }, prefixes: { t: ['k'] } }), () => called.push('gone'));
    const stays = notifier.wait(dependsOn({ keys: { t: ['k'] } }), () => called.push('stays'));
    notifier.collect([{ table: 't', key: 'k', values: [] }]);
    notifier.leave(gone);
    notifier.leave(gone);
    notifier.flush();
    notifier.flush();
    expect(called).toEqual(['stays']);
    notifier.leave(stays);
    expect(notifier.size).toBe(0);
  });

  it('calls a wait once though it depends on the change in several ways', () => {
    const notifier = new Notifier();
    let calls = 0;
    notifier.wait(dependsOn({ tables: ['t'], keys: { t: ['k'] }, values: { 't/i': ['v'] }, prefixes: { t: ['', 'k'] } }), () => calls++);
    notifier.collect([{ table: 't', key: 'k', values: [['t/i', 'v']] }]);
    notifier.flush();
    expect(calls).toBe(1);
  });

  it('calls a wait again only after it was renewed, and then for what it depends on now', () => {
    const notifier = new Notifier();
    const { collected, change } = recorder(notifier);
    const waiter = notifier.wait(dependsOn({ tables: ['t'], keys: { u: ['a', 'b'] }, prefixes: { v: ['p/'] } }), () =>
      collected.push('woken'),
    );
    expect([change('u', 'a'), change('u', 'a'), change('t', 'x')]).toEqual([1, 0, 0]);
    notifier.renew(waiter, dependsOn({ tables: ['w'], keys: { u: ['b', 'c'] }, prefixes: { v: ['p/q'] } }));
    expect([change('t', 'x'), change('u', 'a'), change('v', 'p/z')]).toEqual([0, 0, 0]);
    for (const [table, key] of [
      ['w', 'x'],
      ['u', 'b'],
      ['u', 'c'],
      ['v', 'p/qq'],
    ] as const) {
      expect(change(table, key), `${table} ${key}`).toBe(1);
      notifier.renew(waiter, dependsOn({ tables: ['w'], keys: { u: ['b', 'c'] }, prefixes: { v: ['p/q'] } }));
    }
  });

  it('agrees with a scan over all waits, whatever was registered, renewed and left before', () => {
    const name = fc.constantFrom('a', 'ab', 'abc', 'b');
    const dependencies = fc.record({
      tables: fc.uniqueArray(fc.constantFrom('t', 'u'), { maxLength: 1 }),
      keys: fc.uniqueArray(name, { maxLength: 2 }),
      prefixes: fc.uniqueArray(fc.oneof(name, fc.constant('')), { maxLength: 2 }),
    });
    const step = fc.record({ at: fc.nat(5), dependencies: fc.option(dependencies), change: fc.tuple(fc.constantFrom('t', 'u'), name) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const notifier = new Notifier();
        const waits = new Map<number, { waiter: Waiter; on: { tables: string[]; keys: string[]; prefixes: string[] } }>();
        const woken = new Set<number>();
        for (const { at, dependencies: on, change } of steps) {
          const known = waits.get(at);
          if (on === null) {
            if (known !== undefined) notifier.leave(known.waiter);
            waits.delete(at);
          } else {
            const all = dependsOn({ tables: on.tables, keys: { t: on.keys }, prefixes: { t: on.prefixes } });
            if (known !== undefined) notifier.renew(known.waiter, all);
            waits.set(at, { waiter: known?.waiter ?? notifier.wait(all, () => woken.add(at)), on });
          }
          woken.clear();
          const [table, key] = change;
          const expected = [...waits].filter(([, each]) => each.waiter.isArmed && concerns(each.on, table, key)).map(([id]) => id);
          notifier.collect([{ table, key, values: [] }]);
          notifier.flush();
          expect(woken).toEqual(new Set(expected));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('tells everybody when the state is replaced', () => {
    const notifier = new Notifier();
    const reasons: string[] = [];
    notifier.wait(dependsOn({ keys: { t: ['k'] } }), (reason) => reasons.push(reason));
    notifier.abandonAll();
    expect(reasons).toEqual(['abandoned']);
  });
});

function concerns(on: { tables: string[]; keys: string[]; prefixes: string[] }, table: string, key: string): boolean {
  if (on.tables.includes(table)) return true;
  return table === 't' && (on.keys.includes(key) || on.prefixes.some((prefix) => key.startsWith(prefix)));
}

/** `change` answers how many waits it woke. */
function recorder(notifier: Notifier): { collected: string[]; change: (table: string, key: string) => number } {
  const collected: string[] = [];
  const change = (table: string, key: string): number => {
    const before = collected.length;
    notifier.collect([{ table, key, values: [] }]);
    notifier.flush();
    return collected.length - before;
  };
  return { collected, change };
}
