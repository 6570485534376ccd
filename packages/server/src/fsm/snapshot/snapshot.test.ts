import fc from 'fast-check';
import { readdirSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { StateStore } from '../../state/store.ts';
import { COMMAND_HANDLERS } from '../commands/index.ts';
import { ALL_TABLES } from '../../state/tables/index.ts';
import { kvTable } from '../../state/tables/kv.ts';
import { createTestStore, type TestStore } from '../../testing/index.ts';
import type { KvOperation } from '@lictor/protocol';
import { encodeValue } from '../codec.ts';
import { endRecord, RECORD_TYPES, SNAPSHOT_FORMAT, SNAPSHOT_VERSION } from './format.ts';
import { decodeSnapshotNow, encodeSnapshot, SnapshotDecoder } from './index.ts';
import { SHAPED_TABLES } from './row-shapes.ts';

const kvWrite = fc.record({
  operation: fc.constantFrom<KvOperation>('set', 'delete', 'delete-tree', 'cas'),
  key: fc.constantFrom('a', 'a/b', 'a/c', 'b', ''),
  flags: fc.oneof(fc.nat(), fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n })),
  value: fc.uint8Array({ maxLength: 4 }),
});
type KvStep = (typeof kvWrite)['generate'] extends (...args: never) => { value: infer Step } ? Step : never;

function encode(store: StateStore): Buffer {
  return Buffer.concat([...encodeSnapshot(store.snapshot())]);
}

function restored(bytes: Uint8Array): StateStore {
  const store = new StateStore();
  const { tables, lastIndex } = decodeSnapshotNow(bytes, ALL_TABLES);
  store.replace(tables, lastIndex);
  return store;
}

function run(steps: readonly KvStep[], test: TestStore = createTestStore()): TestStore {
  for (const { operation, key, flags, value } of steps) {
    test.apply('kv.apply', { operation, entry: { Key: key, Value: value, Flags: flags, Session: '', ModifyIndex: 0 } });
  }
  return test;
}

describe('FSM snapshot', () => {
  it('is the same bytes for the same log, and restores to a state that encodes to the same bytes and reads the same', () => {
    fc.assert(
      fc.property(fc.array(kvWrite, { maxLength: 40 }), fc.array(kvWrite, { maxLength: 5 }), (steps, more) => {
        const first = run(steps);
        const bytes = encode(first.store);
        expect(encode(run(steps).store).equals(bytes)).toBe(true);
        const second = restored(bytes);
        expect(encode(second).equals(bytes)).toBe(true);
        for (const prefix of ['', 'a', 'a/', 'x']) {
          const [before, after] = [first.store.reader(), second.reader()];
          expect(after.scan(kvTable, prefix)).toEqual(before.scan(kvTable, prefix));
          expect(after.resultIndex()).toBe(before.resultIndex());
        }
        expect(encode(run(more, createTestStore(COMMAND_HANDLERS, second)).store)).toEqual(encode(run(more, first).store));
      }),
      { numRuns: 100 },
    );
  });

  it('keeps the indexes of buckets that a removal touched last', () => {
    const test = createTestStore();
    for (const Key of ['a', 'b']) test.write((txn) => txn.put(kvTable, { ...EMPTY, Key, Session: 's' }));
    test.write((txn) => txn.remove(kvTable, 'a'));
    test.write((txn) => txn.put(kvTable, { ...EMPTY, Key: 'c', Session: 't' }));
    test.write((txn) => txn.remove(kvTable, 'c'));
    for (const session of ['s', 't']) {
      const [before, after] = [test.store.reader(), restored(encode(test.store)).reader()];
      expect(after.find(kvTable, 'session', session)).toEqual(before.find(kvTable, 'session', session));
      expect(after.resultIndex()).toBe(before.resultIndex());
    }
  });

  it('refuses damage anywhere, as a typed error and never as a changed state', () => {
    const bytes = encode(run([{ operation: 'set', key: 'a', flags: 1, value: Uint8Array.of(1, 2, 3) }]).store);
    for (let at = 0; at < bytes.length; at++) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ 0x01;
      expect(() => decodeSnapshotNow(flipped, ALL_TABLES), `byte ${at}`).toThrow(/^failed to restore snapshot/);
      expect(() => decodeSnapshotNow(bytes.subarray(0, at), ALL_TABLES), `cut at ${at}`).toThrow(/^failed to restore snapshot/);
    }
  });

  it('is read in pieces of any size, and held no longer than a record', () => {
    const keys = ['a', 'a/b', 'a/c', 'b', 'a'] as const;
    const steps = keys.map((key, at) => ({ operation: 'set' as const, key, flags: at, value: Uint8Array.of(at) }));
    const bytes = encode(run(steps).store);
    fc.assert(
      fc.property(fc.infiniteStream(fc.integer({ min: 0, max: 200 })), (sizes) => {
        const decoder = new SnapshotDecoder(ALL_TABLES);
        for (let at = 0; at < bytes.length; ) {
          const size = sizes.next().value;
          decoder.push(bytes.subarray(at, at + size));
          at += size;
        }
        const { tables, lastIndex } = decoder.finish();
        const store = new StateStore();
        store.replace(tables, lastIndex);
        expect(encode(store).equals(bytes)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it('does not keep what a forged length announces', () => {
    const decoder = new SnapshotDecoder(ALL_TABLES);
    const announced = Buffer.from([0xde, 0x00, 0x01, 0xa1, 0x61, 0xc6, 0x7f, 0xff, 0xff, 0xff]);
    expect(() => {
      decoder.push(announced);
      for (let megabytes = 0; megabytes < 16; megabytes++) decoder.push(Buffer.alloc(1024 * 1024));
    }).toThrow('a record is too large');
  });

  it('begins as Consul’s snapshots do: a msgpack map with LastIndex', () => {
    const store = new StateStore();
    store.apply(7, 0, () => true);
    const bytes = encode(store);
    expect(bytes[0]).toBe(0xde);
    expect(bytes.subarray(3, 13).toString('latin1')).toBe('\xa9LastIndex');
  });
});

describe('the table registry', () => {
  it('has every table that state/tables declares', async () => {
    const folder = new URL('../../state/tables/', import.meta.url);
    const files = readdirSync(folder).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && name !== 'index.ts');
    const declared: unknown[] = [];
    for (const name of files) {
      const exported = (await import(new URL(name, folder).href)) as Record<string, unknown>;
      declared.push(
        ...Object.entries(exported)
          .filter(([symbol]) => symbol.endsWith('Table'))
          .map(([, table]) => table),
      );
    }
    expect(new Set(ALL_TABLES)).toEqual(new Set(declared));
    expect(new Set(ALL_TABLES.map((table) => table.name)).size).toBe(ALL_TABLES.length);
  });
});

const EMPTY = { LockIndex: 0, Flags: 0, Value: Buffer.alloc(0), CreateIndex: 0, ModifyIndex: 0 };

describe('a snapshot whose checksum is right and whose rows are not', () => {
  const good = { Key: 'a', Value: new Uint8Array(1), Flags: 0, Session: '', LockIndex: 0, CreateIndex: 1, ModifyIndex: 1 };
  const kvTableRecord = { Record: 'table', Table: 'kv', Index: 1, Extinctions: {} };
  const sealed = (...records: readonly (readonly [type: number, record: object])[]): Buffer => {
    const header = encodeValue({ LastIndex: 1, Format: SNAPSHOT_FORMAT, Version: SNAPSHOT_VERSION });
    const body = Buffer.concat([header, ...records.flatMap(([type, record]) => [Buffer.of(type), encodeValue(record)])]);
    return Buffer.concat([body, Buffer.of(RECORD_TYPES.index), encodeValue(endRecord(crc32(body)))]);
  };

  it('is read when its rows are good', () => {
    const bytes = sealed([RECORD_TYPES.index, kvTableRecord], [RECORD_TYPES.row('kv'), good]);
    expect(restored(bytes).reader().get(kvTable, 'a')).toMatchObject({ Key: 'a', Value: Buffer.alloc(1) });
  });

  it.each<[what: string, change: object]>([
    ['no key', { Key: undefined }],
    ['a key that is no text', { Key: null }],
    ['a value that is no bytes', { Value: 'text' }],
    ['flags below 0', { Flags: -1 }],
    ['no session', { Session: 7 }],
    ['an index that is no number', { ModifyIndex: '1' }],
  ])('is refused for a row with %s', (_what, change) => {
    const bytes = sealed([RECORD_TYPES.index, kvTableRecord], [RECORD_TYPES.row('kv'), { ...good, ...change }]);
    expect(() => restored(bytes)).toThrow(/^failed to restore snapshot: a row /);
  });

  it('is refused for a config entry that no reader could decode, and for a kind that does not exist', () => {
    const table = { ...kvTableRecord, Table: 'config-entries' };
    const entry = { Kind: 'service-defaults', Name: 'db', Protocol: 'http', CreateIndex: 1, ModifyIndex: 1 };
    const write = (row: object): Buffer => sealed([RECORD_TYPES.index, table], [RECORD_TYPES.row('config-entries'), row]);
    expect(() => restored(write(entry))).not.toThrow();
    expect(() => restored(write({ ...entry, Protocol: ['http'] }))).toThrow('a row of table "config-entries" is malformed');
    expect(() => restored(write({ ...entry, Kind: 'service-default' }))).toThrow('a row of table "config-entries" is malformed');
  });

  it('is refused for a table without its marks', () => {
    const { Extinctions: _extinctions, ...rest } = kvTableRecord;
    expect(() => restored(sealed([RECORD_TYPES.index, rest]))).toThrow('a table without a name or an index');
  });

  it('has a shape for every table', () => {
    expect(SHAPED_TABLES.toSorted()).toEqual(ALL_TABLES.map(({ name }) => name).toSorted());
  });
});
