import type { RaftIndex } from '@lictor/protocol';

/** Separates the parts of composite keys; it cannot occur in names, which are refused when they hold control characters. */
export const KEY_SEPARATOR = '\u0000';

/**
 * One table of the replicated store.
 *
 * 1. Rows are immutable: a change is a `put` of a new object. Whoever reads a row may keep it forever.
 * 2. `key` is unique and never changes for a row.
 * 3. Secondary indexes map a row to the values it is found under; each (table, index, value) is also a watch bucket, so that a
 *    query over one service sleeps through changes of all others.
 */
export interface Table<Row extends RaftIndex> {
  readonly name: string;
  key(row: Row): string;
  readonly indexes: Readonly<Record<string, (row: Row) => readonly string[]>>;
}

/**
 * A consistent view of the store that remembers what was read through it: after a query ran, `resultIndex` is the index its
 * answer may be labelled with, and `dependencies` is what must change before the answer can change. Queries are pure functions
 * over this interface; there are no hand-kept watch lists.
 *
 * The index of an answer is the highest of:
 * - a row read by key: its ModifyIndex; when missing, the table's index;
 * - a secondary bucket: the index of the last write or removal of a row in it; when empty, the last index at which any bucket
 *   of that index became empty (Consul's extinction index, /v1/health/service/:unknown);
 * - a primary-key prefix: the highest ModifyIndex under it, removals included while their tombstones live; when there is
 *   none, the table's index;
 * - the whole table: the table's index.
 */
export interface StateReader {
  /** The last log index in this view. */
  readonly appliedIndex: number;
  get<Row extends RaftIndex>(table: Table<Row>, key: string): Row | undefined;
  /** Rows in key order whose primary key starts with `prefix`; the empty prefix reads the whole table. */
  scan<Row extends RaftIndex>(table: Table<Row>, prefix?: string): Iterable<Row>;
  /** Rows in primary-key order that `index` maps to exactly `value`. */
  find<Row extends RaftIndex>(table: Table<Row>, index: string, value: string): Iterable<Row>;
  /** How many rows the table has; depends on the whole table. */
  count(table: Table<never>): number;
  /** Reads without taking a dependency, for facts that must not wake a query (sort order, for example). */
  peek<Row extends RaftIndex>(table: Table<Row>, key: string): Row | undefined;
  /** At least 1. */
  resultIndex(): number;
  dependencies(): Dependencies;
}

/** What a query has read, as the store's notifier understands it. */
export interface Dependencies {
  /** Whole tables, by name. */
  readonly tables: ReadonlySet<string>;
  /** Primary keys, found or not, by table name. */
  readonly keys: NamesByGroup;
  /** Values of secondary indexes, by `table/index`. */
  readonly values: NamesByGroup;
  /** Primary-key prefixes by table name. */
  readonly prefixes: NamesByGroup;
}

export type NamesByGroup = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * The only writer: exists inside one FSM apply, sees its own writes, and stamps rows with the index of the entry being applied.
 */
export interface StateTxn extends StateReader {
  /** The log index being applied. */
  readonly index: number;
  /** The time stamped on the command being applied, ms since the epoch: the only time that apply knows. */
  readonly timeMs: number;
  /** Inserts or replaces. CreateIndex is kept from the replaced row, ModifyIndex becomes `index`; whatever `row` carries there is ignored. */
  put<Row extends RaftIndex>(table: Table<Row>, row: Row): Row;
  /** False when there was no such row. */
  remove<Row extends RaftIndex>(table: Table<Row>, key: string): boolean;
  /** Forgets the removals of all tables through that log index; answers how many (consul-facts O008). */
  reapTombstones(throughIndex: number): number;
}
