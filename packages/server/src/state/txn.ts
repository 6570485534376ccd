import type { RaftIndex } from '@lictor/protocol';
import type { RowChange } from './changes.ts';
import { TableReader, type TableSource } from './reader.ts';
import { entryKey, type IndexState, type TableState } from './table-state.ts';
import type { StateTxn, Table } from './types.ts';

/** Where a transaction writes: tables that no snapshot shares. */
export interface WritableTables extends TableSource {
  writable(table: Table<never>): TableState;
  /** Writable, too. */
  tablesWithTombstones(): TableState[];
}

/**
 * The writer of one FSM apply. Writes go straight into the tables; each leaves its inverse in a journal, so that keeping them
 * costs nothing and dropping them is exact.
 */
export class TableTxn extends TableReader implements StateTxn {
  readonly index: number;
  readonly timeMs: number;
  readonly #tables: WritableTables;
  readonly #undo: (() => void)[] = [];
  readonly #changes: RowChange[] = [];

  constructor(tables: WritableTables, index: number, timeMs: number) {
    super(tables, false);
    this.index = index;
    this.timeMs = timeMs;
    this.#tables = tables;
  }

  put<Row extends RaftIndex>(table: Table<Row>, row: Row): Row {
    const state = this.#tables.writable(table);
    const key = table.key(row);
    const previous = state.rows.get(key);
    const stamped: Row = { ...row, CreateIndex: previous?.CreateIndex ?? this.index, ModifyIndex: this.index };
    this.#change(state, key, previous, stamped);
    return stamped;
  }

  remove<Row extends RaftIndex>(table: Table<Row>, key: string): boolean {
    const state = this.#tables.writable(table);
    const previous = state.rows.get(key);
    if (previous === undefined) return false;
    this.#change(state, key, previous, undefined);
    return true;
  }

  /** Prefix reads may then show a lower index, so this wakes nobody. */
  reapTombstones(throughIndex: number): number {
    let count = 0;
    for (const { tombstones } of this.#tables.tablesWithTombstones()) {
      const reaped: (readonly [string, number])[] = [];
      tombstones.forEach('', (removedAt, key) => {
        if (removedAt <= throughIndex) reaped.push([key, removedAt]);
      });
      for (const [key] of reaped) tombstones.delete(key);
      this.#undo.push(() => reaped.forEach(([key, removedAt]) => tombstones.set(key, removedAt)));
      count += reaped.length;
    }
    return count;
  }

  /** Takes back everything written so far. */
  rollback(): void {
    for (let step = this.#undo.length - 1; step >= 0; step--) this.#undo[step]?.();
    this.#undo.length = 0;
    this.#changes.length = 0;
  }

  /** Rows written and removed, in order. */
  get changes(): readonly RowChange[] {
    return this.#changes;
  }

  #change(state: TableState, key: string, previous: RaftIndex | undefined, next: RaftIndex | undefined): void {
    const values: (readonly [string, string])[] = [];
    this.#changeRow(state, key, previous, next);
    for (const index of state.indexes) this.#changeIndex(index, key, previous, next, values);
    this.#changes.push({ table: state.name, key, values });
  }

  #changeRow(state: TableState, key: string, previous: RaftIndex | undefined, next: RaftIndex | undefined): void {
    const previousIndex = state.index;
    const removedAt = state.tombstones.size > 0 ? state.tombstones.get(key) : undefined;
    if (next === undefined) {
      state.rows.delete(key);
      state.tombstones.set(key, this.index);
    } else {
      state.rows.set(key, next);
      if (removedAt !== undefined) state.tombstones.delete(key);
    }
    state.index = this.index;
    this.#undo.push(() => {
      if (previous === undefined) state.rows.delete(key);
      else state.rows.set(key, previous);
      if (removedAt === undefined) state.tombstones.delete(key);
      else state.tombstones.set(key, removedAt);
      state.index = previousIndex;
    });
  }

  #changeIndex(
    index: IndexState,
    key: string,
    previous: RaftIndex | undefined,
    next: RaftIndex | undefined,
    touched: (readonly [string, string])[],
  ): void {
    const before = previous === undefined ? NO_VALUES : index.values(previous);
    const after = next === undefined ? NO_VALUES : index.values(next);
    for (const value of before) {
      touched.push([index.group, value]);
      if (!after.includes(value)) this.#leaveBucket(index, value, key);
    }
    for (const value of after) {
      const stays = before.includes(value);
      if (!stays) touched.push([index.group, value]);
      if (next !== undefined) this.#enterBucket(index, value, key, next, stays);
    }
  }

  #enterBucket(index: IndexState, value: string, key: string, row: RaftIndex, stays: boolean): void {
    const entry = entryKey(value, key);
    const previousRow = index.entries.get(entry);
    const previousBucket = index.buckets.get(value);
    // A row that names one value twice is in the bucket once.
    const isNew = !stays && previousRow === undefined;
    index.entries.set(entry, row);
    index.buckets.set(value, { count: (previousBucket?.count ?? 0) + (isNew ? 1 : 0), index: this.index });
    this.#undo.push(() => {
      if (previousRow === undefined) index.entries.delete(entry);
      else index.entries.set(entry, previousRow);
      if (previousBucket === undefined) index.buckets.delete(value);
      else index.buckets.set(value, previousBucket);
    });
  }

  #leaveBucket(index: IndexState, value: string, key: string): void {
    const entry = entryKey(value, key);
    const previousRow = index.entries.get(entry);
    const previousBucket = index.buckets.get(value);
    if (previousRow === undefined || previousBucket === undefined) return;
    const previousExtinction = index.extinction;
    index.entries.delete(entry);
    if (previousBucket.count > 1) {
      index.buckets.set(value, { count: previousBucket.count - 1, index: this.index });
    } else {
      index.buckets.delete(value);
      index.extinction = this.index;
    }
    this.#undo.push(() => {
      index.entries.set(entry, previousRow);
      index.buckets.set(value, previousBucket);
      index.extinction = previousExtinction;
    });
  }
}

const NO_VALUES: readonly string[] = [];
