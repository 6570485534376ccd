import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Item, NaiveStore, type Write } from '../testing/naive-store.ts';
import { StateStore } from './store.ts';
import type { StateReader, Table } from './types.ts';

const items: Table<Item> = { name: 'items', key: (row) => row.Name, indexes: { tag: (row) => row.Tags } };
const KEYS = ['a', 'a/', 'a/b', 'a/b/c', 'b', 'b\u0000', ''] as const;
const TAGS = ['x', 'y', 'x\u0000', ''] as const;
const PREFIXES = ['', 'a', 'a/', 'a/b', 'b', 'c'] as const;

const write: fc.Arbitrary<Write> = fc.oneof(
  fc.record({ put: fc.constantFrom(...KEYS), tags: fc.uniqueArray(fc.constantFrom(...TAGS), { maxLength: 3 }) }),
  fc.record({ remove: fc.constantFrom(...KEYS) }),
);
/** An entry applies, is refused (and must leave nothing), or reaps the older half of the tombstones. */
const entry = fc.record({
  kind: fc.constantFrom('apply', 'apply', 'apply', 'refuse', 'reap', 'snapshot'),
  writes: fc.array(write, { maxLength: 4 }),
});

describe('StateStore', () => {
  it('agrees with a naive twin on rows, order and indexes of every read', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 30 }), (entries) => {
        const store = new StateStore();
        const naive = new NaiveStore();
        const frozen: [StateReader, () => unknown, unknown][] = [];
        entries.forEach(({ kind, writes }, position) => {
          const index = position + 2;
          applyEntry(store, naive, index, kind, writes);
          if (kind !== 'snapshot') return;
          const snapshot = store.snapshot();
          frozen.push([snapshot.reader(), () => readAll(() => snapshot.reader()), readAll(() => store.reader())]);
        });
        expect(readAll(() => store.reader())).toEqual(readAllNaive(naive));
        for (const [, now, then] of frozen) expect(now()).toEqual(then);
      }),
      { numRuns: 300 },
    );
  });

  it('wakes a wait when, and only when, a row that it depends on was written or removed', () => {
    fc.assert(
      fc.property(fc.array(write, { maxLength: 12 }), fc.array(write, { minLength: 1, maxLength: 3 }), (before, change) => {
        const store = new StateStore();
        const naive = new NaiveStore();
        applyEntry(store, naive, 2, 'apply', before);
        for (const [read, concerns] of READS) {
          const reader = store.reader();
          read(reader);
          let isWoken = false;
          store.notifier.wait(reader.dependencies(), () => {
            isWoken = true;
          });
          const touched = touchedBy(naive.rows, change);
          expect(tryChange(store, change, () => isWoken)).toBe(touched.some(concerns));
        }
      }),
      { numRuns: 200 },
    );
  });

  it('keeps CreateIndex, stamps ModifyIndex, and ignores what the caller put there', () => {
    const store = new StateStore();
    const row = { Name: 'a', Tags: [], CreateIndex: 99, ModifyIndex: 98 };
    put(store, 5, row);
    put(store, 7, row);
    expect(store.reader().get(items, 'a')).toMatchObject({ CreateIndex: 5, ModifyIndex: 7 });
  });

  it('lets a transaction see its own writes', () => {
    const store = new StateStore();
    store.apply(2, 0, (txn) => {
      txn.put(items, { Name: 'a', Tags: ['x'], CreateIndex: 0, ModifyIndex: 0 });
      expect(txn.find(items, 'tag', 'x')).toHaveLength(1);
      txn.remove(items, 'a');
      expect(txn.find(items, 'tag', 'x')).toHaveLength(0);
      expect(txn.remove(items, 'a')).toBe(false);
      return true;
    });
  });

  it('wakes only after the whole batch', () => {
    const store = new StateStore();
    const reader = store.reader();
    reader.get(items, 'a');
    const seen: number[] = [];
    const waiter = store.notifier.wait(reader.dependencies(), () => seen.push(store.appliedIndex));
    put(store, 2, { Name: 'a', Tags: [], CreateIndex: 0, ModifyIndex: 0 });
    put(store, 3, { Name: 'b', Tags: [], CreateIndex: 0, ModifyIndex: 0 });
    expect(seen).toEqual([]);
    store.commit();
    expect(seen).toEqual([3]);
    store.notifier.leave(waiter);
    expect(store.notifier.size).toBe(0);
  });

  it('refuses to apply an index twice', () => {
    const store = new StateStore();
    store.apply(2, 0, () => true);
    expect(() => store.apply(2, 0, () => true)).toThrow('entry 2 applied after 2');
  });
});

function put(store: StateStore, index: number, row: Item): void {
  store.apply(index, 0, (txn) => {
    txn.put(items, row);
    return true;
  });
}

function applyEntry(store: StateStore, naive: NaiveStore, index: number, kind: string, writes: readonly Write[]): void {
  if (kind === 'snapshot') return store.apply(index, 0, () => true);
  if (kind === 'reap') {
    store.apply(index, 0, (txn) => txn.reapTombstones(Math.floor(index / 2)) >= 0);
    return naive.reap(Math.floor(index / 2));
  }
  store.apply(index, 0, (txn) => {
    for (const each of writes) {
      if ('put' in each) txn.put(items, { Name: each.put, Tags: each.tags, CreateIndex: 0, ModifyIndex: 0 });
      else txn.remove(items, each.remove);
    }
    return kind !== 'refuse';
  });
  if (kind === 'apply') naive.apply(index, writes);
}

function readAll(reader: () => StateReader): unknown {
  const labelled = (read: (reader: StateReader) => unknown): unknown => {
    const one = reader();
    return { rows: read(one), index: one.resultIndex() };
  };
  return {
    get: KEYS.map((key) => labelled((one) => one.get(items, key))),
    scan: PREFIXES.map((prefix) => labelled((one) => [...one.scan(items, prefix)])),
    find: TAGS.map((tag) => labelled((one) => [...one.find(items, 'tag', tag)])),
    count: labelled((one) => one.count(items)),
  };
}

function readAllNaive(naive: NaiveStore): unknown {
  return {
    get: KEYS.map((key) => ({ rows: naive.get(key).row, index: naive.get(key).index })),
    scan: PREFIXES.map((prefix) => naive.scan(prefix)),
    find: TAGS.map((tag) => naive.find(tag)),
    count: { rows: naive.rows.size, index: naive.scan('').index },
  };
}

interface Touched {
  readonly key: string;
  readonly tags: readonly string[];
}

const READS: readonly (readonly [(reader: StateReader) => unknown, (touched: Touched) => boolean])[] = [
  ...KEYS.map((key) => [(reader: StateReader) => reader.get(items, key), (touched: Touched) => touched.key === key] as const),
  ...PREFIXES.map(
    (prefix) => [(reader: StateReader) => reader.scan(items, prefix), (touched: Touched) => touched.key.startsWith(prefix)] as const,
  ),
  ...TAGS.map(
    (tag) => [(reader: StateReader) => reader.find(items, 'tag', tag), (touched: Touched) => touched.tags.includes(tag)] as const,
  ),
  [(reader) => reader.peek(items, 'a'), () => false],
];

/** Which rows `writes` write or remove, with their tags before and after. */
function touchedBy(rows: ReadonlyMap<string, Item>, writes: readonly Write[]): Touched[] {
  const tags = new Map([...rows].map(([key, row]) => [key, row.Tags]));
  const touched: Touched[] = [];
  for (const each of writes) {
    const key = 'put' in each ? each.put : each.remove;
    const before = tags.get(key);
    if ('put' in each) {
      touched.push({ key, tags: [...(before ?? []), ...each.tags] });
      tags.set(key, each.tags);
    } else if (before !== undefined) {
      touched.push({ key, tags: before });
      tags.delete(key);
    }
  }
  return touched;
}

/** Applies the change, notes whether it woke somebody, and puts everything back by hand for the next read. */
function tryChange(store: StateStore, change: readonly Write[], isWoken: () => boolean): boolean {
  const snapshot = store.snapshot();
  applyEntry(store, new NaiveStore(), store.appliedIndex + 1, 'apply', change);
  store.commit();
  const answer = isWoken();
  store.replace(snapshot.tables, snapshot.appliedIndex);
  return answer;
}
