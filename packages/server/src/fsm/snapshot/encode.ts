import { crc32 } from 'node:zlib';
import type { StateSnapshot } from '../../state/store.ts';
import type { IndexState, TableState } from '../../state/table-state.ts';
import { encodeValue } from '../codec.ts';
import {
  type BucketsRecord,
  endRecord,
  RECORD_TYPES,
  SNAPSHOT_FORMAT,
  SNAPSHOT_VERSION,
  type SnapshotHeader,
  type TableRecord,
} from './format.ts';

/** Bytes in one slice; encoding one takes well under a millisecond. */
const SLICE_BYTES = 64 * 1024;
const BUCKETS_PER_RECORD = 256;
/** Entries looked at before the generator pauses even when there is nothing to write. */
const ENTRIES_PER_PAUSE = 2048;

/**
 * The state's bytes in slices, the same for the same state on every server. An empty slice is a pause: work was done, and the
 * caller may want to let others run.
 */
export function* encodeSnapshot(snapshot: StateSnapshot): Generator<Uint8Array, void, undefined> {
  const sink = new SliceSink();
  const header: SnapshotHeader = { LastIndex: snapshot.appliedIndex, Format: SNAPSHOT_FORMAT, Version: SNAPSHOT_VERSION };
  sink.raw(encodeValue(header));
  const tables = [...snapshot.tables.values()].filter((table) => table.index > 0).sort((left, right) => (left.name < right.name ? -1 : 1));
  for (const table of tables) yield* encodeTable(table, sink);
  yield sink.take();
  sink.record(RECORD_TYPES.index, endRecord(sink.checksum));
  yield sink.take();
}

function* encodeTable(table: TableState, sink: SliceSink): Generator<Uint8Array, void, undefined> {
  const Extinctions = Object.fromEntries(
    table.indexes.filter((index) => index.extinction > 0).map((index) => [index.name, index.extinction]),
  );
  const begin: TableRecord = { Record: 'table', Table: table.name, Index: table.index, Extinctions };
  sink.record(RECORD_TYPES.index, begin);
  const rowType = RECORD_TYPES.row(table.name);
  for (const [, row] of table.rows.entries()) {
    sink.record(rowType, row);
    if (sink.isFull) yield sink.take();
  }
  for (const [key, index] of table.tombstones.entries()) {
    sink.record(RECORD_TYPES.tombstone, { Tombstone: key, Index: index });
    if (sink.isFull) yield sink.take();
  }
  for (const index of table.indexes) yield* encodeBuckets(index, sink);
}

/** What the rows alone do not tell: buckets that a removal touched after their newest row was written. */
function* encodeBuckets(index: IndexState, sink: SliceSink): Generator<Uint8Array, void, undefined> {
  const newest = new Map<string, number>();
  let visited = 0;
  for (const [, row] of index.entries.entries()) {
    for (const value of index.values(row)) newest.set(value, Math.max(newest.get(value) ?? 0, row.ModifyIndex));
    if (++visited % ENTRIES_PER_PAUSE === 0) yield NOTHING;
  }
  let buckets: (readonly [string, number])[] = [];
  for (const [value, bucket] of index.buckets.entries()) {
    if (bucket.index !== newest.get(value)) buckets.push([value, bucket.index]);
    if (buckets.length < BUCKETS_PER_RECORD) continue;
    sink.record(RECORD_TYPES.index, bucketsRecord(index.name, buckets));
    buckets = [];
    if (sink.isFull) yield sink.take();
  }
  if (buckets.length > 0) sink.record(RECORD_TYPES.index, bucketsRecord(index.name, buckets));
}

function bucketsRecord(name: string, buckets: BucketsRecord['Buckets']): BucketsRecord {
  return { Record: 'buckets', Name: name, Buckets: buckets };
}

/** Collects records into slices and keeps the checksum of all of them. */
class SliceSink {
  checksum = 0;
  #parts: Uint8Array[] = [];
  #bytes = 0;

  get isFull(): boolean {
    return this.#bytes >= SLICE_BYTES;
  }

  raw(bytes: Uint8Array): void {
    this.#parts.push(bytes);
    this.#bytes += bytes.length;
  }

  record(type: number, value: unknown): void {
    this.raw(Uint8Array.of(type));
    this.raw(encodeValue(value));
  }

  take(): Uint8Array {
    const slice = Buffer.concat(this.#parts, this.#bytes);
    this.#parts = [];
    this.#bytes = 0;
    this.checksum = crc32(slice, this.checksum);
    return slice;
  }
}

const NOTHING = new Uint8Array(0);
