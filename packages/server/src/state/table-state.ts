import type { RaftIndex } from '@lictor/protocol';
import { OrderedMap } from './ordered-map.ts';
import { KEY_SEPARATOR, type Table } from './types.ts';

/** What is known about one value of a secondary index. Immutable. */
export interface Bucket {
  /** Rows in it now. */
  readonly count: number;
  /** The log index of the last write or removal of a row in it. */
  readonly index: number;
}

/** One secondary index of a table. */
export interface IndexState {
  readonly name: string;
  /** `table/index`, as `Dependencies` names it. */
  readonly group: string;
  readonly values: (row: RaftIndex) => readonly string[];
  /** By `entryKey(value, primary key)`. */
  readonly entries: OrderedMap<RaftIndex>;
  /** By value. An empty bucket is dropped, and the index's extinction mark takes over. */
  readonly buckets: OrderedMap<Bucket>;
  /** The last log index at which a bucket became empty; 0 for never. */
  extinction: number;
}

/**
 * The rows of one table with everything derived from them.
 *
 * 1. `index` is the highest log index at which a row was written or removed.
 * 2. `tombstones` maps removed keys to the index of their removal, until they are reaped; a key is never in both maps.
 */
export interface TableState {
  readonly name: string;
  readonly rows: OrderedMap<RaftIndex>;
  readonly tombstones: OrderedMap<number>;
  readonly indexes: readonly IndexState[];
  index: number;
}

export function createTableState(table: Table<never>): TableState {
  const indexes = Object.entries(table.indexes).map(
    ([name, values]): IndexState => ({
      name,
      group: `${table.name}/${name}`,
      values: values as IndexState['values'],
      entries: new OrderedMap<RaftIndex>(),
      buckets: new OrderedMap<Bucket>(),
      extinction: 0,
    }),
  );
  return { name: table.name, rows: new OrderedMap<RaftIndex>(), tombstones: new OrderedMap<number>(), indexes, index: 0 };
}

/** O(1) in the number of rows: the copies share their nodes until one of them is written. */
export function cloneTableState(state: TableState): TableState {
  return {
    name: state.name,
    rows: state.rows.clone(),
    tombstones: state.tombstones.clone(),
    indexes: state.indexes.map((index) => ({ ...index, entries: index.entries.clone(), buckets: index.buckets.clone() })),
    index: state.index,
  };
}

export function indexNamed(state: TableState, name: string): IndexState {
  for (const index of state.indexes) if (index.name === name) return index;
  throw new Error(`table ${state.name} has no index ${name}`);
}

/** Keys of one value are adjacent, in primary-key order; no value's range contains another's, separators in values included. */
export function entryKey(value: string, primaryKey: string): string {
  return entryPrefix(value) + primaryKey;
}

export function entryPrefix(value: string): string {
  const escaped = value.includes(KEY_SEPARATOR) ? value.replaceAll(KEY_SEPARATOR, `${KEY_SEPARATOR}\u0001`) : value;
  return `${escaped}${KEY_SEPARATOR}${KEY_SEPARATOR}`;
}
