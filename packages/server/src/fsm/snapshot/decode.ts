import { LictorError, type RaftIndex } from '@lictor/protocol';
import { crc32 } from 'node:zlib';
import { createTableState, entryKey, type IndexState, type TableState } from '../../state/table-state.ts';
import type { Table } from '../../state/types.ts';
import { decodeValue, encodeValue } from '../codec.ts';
import { measureMsgpack } from '../codec-limits.ts';
import {
  type BucketsRecord,
  endRecord,
  RECORD_TYPES,
  SNAPSHOT_FORMAT,
  SNAPSHOT_VERSION,
  type TableRecord,
  type TombstoneRecord,
} from './format.ts';
import { isBucketsRecord, isRowOf, isTableRecord, isTombstoneRecord } from './row-shapes.ts';

export interface DecodedSnapshot {
  readonly lastIndex: number;
  readonly tables: ReadonlyMap<string, TableState>;
}

const RECORDS_PER_PAUSE = 500;
const CHECKSUM_SLICE_BYTES = 1024 * 1024;
const END_BYTES = encodeEnd(0).length;

/**
 * Reads the bytes of `encodeSnapshot` into tables; each yield is a pause.
 * @throws LictorError `rejected` when they are damaged or not ours
 */
export function* decodeSnapshot(bytes: Uint8Array, known: readonly Table<never>[]): Generator<undefined, DecodedSnapshot, undefined> {
  const end = bytes.length - END_BYTES;
  yield* verifyChecksum(bytes, end);
  const reader = new RecordReader(bytes.subarray(0, end));
  const lastIndex = readHeader(reader.value());
  const tables = new Map<string, TableState>();
  const byName = new Map(known.map((table) => [table.name, table]));
  let current: { readonly state: TableState; readonly table: Table<never> } | undefined;
  for (let records = 1; !reader.isAtEnd; records++) {
    const type = reader.type();
    const record = reader.value();
    if (type === RECORD_TYPES.index && record['Record'] === 'table') {
      if (!isTableRecord(record)) throw damaged('a table without a name or an index');
      current = beginTable(record as unknown as TableRecord, byName);
      tables.set(current.state.name, current.state);
    } else if (current !== undefined) {
      addRecord(current.state, current.table, type, record);
    } else {
      throw damaged('a row before its table');
    }
    if (records % RECORDS_PER_PAUSE === 0) yield;
  }
  return { lastIndex, tables };
}

function* verifyChecksum(bytes: Uint8Array, end: number): Generator<undefined, void, undefined> {
  if (end < 0) throw damaged('truncated');
  let checksum = 0;
  for (let start = 0; start < end; start += CHECKSUM_SLICE_BYTES) {
    checksum = crc32(bytes.subarray(start, Math.min(end, start + CHECKSUM_SLICE_BYTES)), checksum);
    yield;
  }
  if (!encodeEnd(checksum).equals(bytes.subarray(end))) throw damaged('checksum mismatch');
}

function encodeEnd(checksum: number): Buffer {
  return Buffer.concat([Uint8Array.of(RECORD_TYPES.index), encodeValue(endRecord(checksum))]);
}

/** Runs a decoder at once: for small states. */
export function decodeSnapshotNow(bytes: Uint8Array, known: readonly Table<never>[]): DecodedSnapshot {
  const decoder = decodeSnapshot(bytes, known);
  for (let step = decoder.next(); ; step = decoder.next()) if (step.done) return step.value;
}

function readHeader(header: Readonly<Record<string, unknown>>): number {
  const { LastIndex, Format, Version } = header;
  if (Format !== SNAPSHOT_FORMAT) throw damaged('not a Lictor snapshot');
  if (Version !== SNAPSHOT_VERSION) throw damaged(`format version ${JSON.stringify(Version)} is not known`);
  if (!Number.isSafeInteger(LastIndex)) throw damaged('no index');
  return LastIndex as number;
}

function beginTable(record: TableRecord, known: ReadonlyMap<string, Table<never>>): { state: TableState; table: Table<never> } {
  const table = known.get(record.Table);
  if (table === undefined) throw damaged(`table ${JSON.stringify(record.Table)} is not known to this version`);
  const state = createTableState(table);
  state.index = record.Index;
  for (const index of state.indexes) index.extinction = record.Extinctions[index.name] ?? 0;
  return { state, table };
}

function addRecord(state: TableState, table: Table<never>, type: number, record: Readonly<Record<string, unknown>>): void {
  if (type === RECORD_TYPES.tombstone && isTombstoneRecord(record)) {
    const tombstone = record as unknown as TombstoneRecord;
    state.tombstones.set(tombstone.Tombstone, tombstone.Index);
  } else if (type === RECORD_TYPES.index && record['Record'] === 'buckets' && isBucketsRecord(record)) {
    setBuckets(state, record as unknown as BucketsRecord);
  } else if (type === RECORD_TYPES.row(state.name)) {
    addRow(state, table, record as unknown as RaftIndex);
  } else {
    throw damaged(`unknown record type ${type}`);
  }
}

function addRow(state: TableState, table: Table<never>, row: RaftIndex): void {
  if (!Number.isSafeInteger(row.CreateIndex) || !Number.isSafeInteger(row.ModifyIndex)) throw damaged('a row without indexes');
  if (!isRowOf(table.name, row)) throw damaged(`a row of table ${JSON.stringify(table.name)} is malformed`);
  const key = table.key(row as never);
  state.rows.set(key, row);
  for (const index of state.indexes) for (const value of new Set(index.values(row))) addEntry(index, value, key, row);
}

function addEntry(index: IndexState, value: string, key: string, row: RaftIndex): void {
  const bucket = index.buckets.get(value);
  index.entries.set(entryKey(value, key), row);
  index.buckets.set(value, { count: (bucket?.count ?? 0) + 1, index: Math.max(bucket?.index ?? 0, row.ModifyIndex) });
}

function setBuckets(state: TableState, record: BucketsRecord): void {
  const index = state.indexes.find((each) => each.name === record.Name);
  // An index that this version no longer has is no loss: it is rebuilt from the rows.
  if (index === undefined) return;
  for (const [value, at] of record.Buckets) {
    const bucket = index.buckets.get(value);
    if (bucket !== undefined) index.buckets.set(value, { count: bucket.count, index: at });
  }
}

class RecordReader {
  position = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.position >= this.#bytes.length;
  }

  type(): number {
    return this.#bytes[this.position++] ?? 0;
  }

  value(): Readonly<Record<string, unknown>> {
    const end = measureMsgpack(this.#bytes, this.position);
    if (typeof end === 'string') throw damaged(end);
    const value = decodeValue(this.#bytes.subarray(this.position, end));
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw damaged('a record is not a map');
    this.position = end;
    return value as Readonly<Record<string, unknown>>;
  }
}

function damaged(why: string): LictorError {
  return new LictorError('rejected', `failed to restore snapshot: ${why}`);
}
