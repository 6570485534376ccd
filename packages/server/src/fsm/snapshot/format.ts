/**
 * The state as bytes: a msgpack header, then records, each a type byte and a msgpack map. That is the outer shape of Consul's own
 * snapshots, so that `consul snapshot inspect` can list ours; what the records hold is Lictor's.
 *
 * For each table, in name order: a `table` record, its rows in key order, its tombstones, and the buckets of its indexes whose
 * index is not that of their newest row. The last record is `end`, with a checksum of everything before it.
 */
export const SNAPSHOT_FORMAT = 'lictor';
export const SNAPSHOT_VERSION = 1;

export interface SnapshotHeader {
  /** The name that Consul gives the field. */
  readonly LastIndex: number;
  readonly Format: string;
  readonly Version: number;
}

/** Consul's message types, where one fits: they only name the lines of `snapshot inspect`. */
const INDEX_RECORD = 16;
const TOMBSTONE_RECORD = 5;
const OTHER_ROW = 31;
const ROW_RECORDS: ReadonlyMap<string, number> = new Map([
  ['nodes', 0],
  ['services', 0],
  ['checks', 0],
  ['kv', 2],
  ['sessions', 3],
  ['coordinates', 6],
  ['prepared-queries', 7],
  ['autopilot', 9],
  ['connect-ca-config', 13],
  ['connect-ca-roots', 13],
  ['config-entries', 22],
  ['virtual-ips', 32],
  ['free-virtual-ips', 33],
]);

export const RECORD_TYPES = {
  index: INDEX_RECORD,
  tombstone: TOMBSTONE_RECORD,
  row: (table: string): number => ROW_RECORDS.get(table) ?? OTHER_ROW,
} as const;

/** Begins a table. */
export interface TableRecord {
  readonly Record: 'table';
  readonly Table: string;
  readonly Index: number;
  /** By index name. */
  readonly Extinctions: Readonly<Record<string, number>>;
}

/** Buckets of one index of the current table, by value. */
export interface BucketsRecord {
  readonly Record: 'buckets';
  readonly Name: string;
  readonly Buckets: readonly (readonly [value: string, index: number])[];
}

/** Removed keys of the current table. */
export interface TombstoneRecord {
  readonly Tombstone: string;
  readonly Index: number;
}

/** Always of the same length, so that a reader can check everything before it reads anything. */
export interface EndRecord {
  readonly Record: 'end';
  /** CRC-32 of every byte before this record's type byte, eight hex digits. */
  readonly Checksum: string;
}

export function endRecord(checksum: number): EndRecord {
  return { Record: 'end', Checksum: checksum.toString(16).padStart(8, '0') };
}
