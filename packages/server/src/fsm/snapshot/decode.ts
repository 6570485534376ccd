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

const SLICE_BYTES = 64 * 1024;
const END_BYTES = encodeEnd(0).length;
/** Above what any row can take: a length that announces more is a forgery, and nothing is kept for it. */
const MAX_RECORD_BYTES = 8 * 1024 * 1024;
const NOTHING = Buffer.alloc(0);

/**
 * Reads the bytes of `encodeSnapshot` as they come, in pieces of any size: no more than one record and a piece are held beside the tables.
 */
export class SnapshotDecoder {
  readonly #byName: ReadonlyMap<string, Table<never>>;
  readonly #tables = new Map<string, TableState>();
  #current: { readonly state: TableState; readonly table: Table<never> } | undefined;
  #lastIndex: number | undefined;
  /** What may be the end record: it is known to be when nothing follows. */
  #tail: Buffer = NOTHING;
  /** The beginning of a record whose rest has not come. */
  #partial: Buffer = NOTHING;
  #checksum = 0;

  constructor(known: readonly Table<never>[]) {
    this.#byName = new Map(known.map((table) => [table.name, table]));
  }

  /** @throws LictorError `rejected` when the bytes are damaged or not ours */
  push(bytes: Uint8Array): void {
    const held = Buffer.concat([this.#tail, bytes]);
    const end = Math.max(0, held.length - END_BYTES);
    this.#tail = held.subarray(end);
    const sure = held.subarray(0, end);
    this.#checksum = crc32(sure, this.#checksum);
    const reader = new RecordReader(this.#partial.length === 0 ? sure : Buffer.concat([this.#partial, sure]));
    this.#readAll(reader);
    // A copy: the piece itself must not live as long.
    this.#partial = Buffer.from(reader.rest);
    if (this.#partial.length > MAX_RECORD_BYTES) throw damaged('a record is too large');
  }

  /** @throws LictorError `rejected` */
  finish(): DecodedSnapshot {
    if (this.#tail.length < END_BYTES) throw damaged('truncated');
    if (!encodeEnd(this.#checksum).equals(this.#tail)) throw damaged('checksum mismatch');
    if (this.#partial.length > 0) throw damaged('truncated');
    if (this.#lastIndex === undefined) throw damaged('no header');
    return { lastIndex: this.#lastIndex, tables: this.#tables };
  }

  #readAll(reader: RecordReader): void {
    if (this.#lastIndex === undefined) {
      const header = reader.header();
      if (header === undefined) return;
      this.#lastIndex = readHeader(header);
    }
    for (let next = reader.record(); next !== undefined; next = reader.record()) this.#add(next.type, next.value);
  }

  #add(type: number, record: Readonly<Record<string, unknown>>): void {
    if (type === RECORD_TYPES.index && record['Record'] === 'table') {
      if (!isTableRecord(record)) throw damaged('a table without a name or an index');
      this.#current = beginTable(record as unknown as TableRecord, this.#byName);
      this.#tables.set(this.#current.state.name, this.#current.state);
    } else if (this.#current !== undefined) {
      addRecord(this.#current.state, this.#current.table, type, record);
    } else {
      throw damaged('a row before its table');
    }
  }
}

/**
 * Reads bytes that are all there; each yield is a pause.
 * @throws LictorError `rejected` when they are damaged or not ours
 */
export function* decodeSnapshot(bytes: Uint8Array, known: readonly Table<never>[]): Generator<undefined, DecodedSnapshot, undefined> {
  const decoder = new SnapshotDecoder(known);
  for (let start = 0; start < bytes.length; start += SLICE_BYTES) {
    decoder.push(bytes.subarray(start, start + SLICE_BYTES));
    yield;
  }
  return decoder.finish();
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

/** Whole records from the front of some bytes. */
class RecordReader {
  #position = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** What is not a whole record yet. */
  get rest(): Uint8Array {
    return this.#bytes.subarray(this.#position);
  }

  header(): Readonly<Record<string, unknown>> | undefined {
    return this.#map(this.#position);
  }

  record(): { readonly type: number; readonly value: Readonly<Record<string, unknown>> } | undefined {
    const type = this.#bytes[this.#position];
    if (type === undefined) return undefined;
    const value = this.#map(this.#position + 1);
    return value === undefined ? undefined : { type, value };
  }

  #map(start: number): Readonly<Record<string, unknown>> | undefined {
    const end = measureMsgpack(this.#bytes, start);
    if (end === 'truncated') return undefined;
    if (typeof end === 'string') throw damaged(end);
    const value = decodeValue(this.#bytes.subarray(start, end));
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw damaged('a record is not a map');
    this.#position = end;
    return value as Readonly<Record<string, unknown>>;
  }
}

function damaged(why: string): LictorError {
  return new LictorError('rejected', `failed to restore snapshot: ${why}`);
}
