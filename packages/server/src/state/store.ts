import { assert, type RaftIndex } from '@lictor/protocol';
import { Notifier } from './notifier.ts';
import { ReusableReader, TableReader, type TableSource } from './reader.ts';
import { cloneTableState, createTableState, type TableState } from './table-state.ts';
import { TableTxn, type WritableTables } from './txn.ts';
import type { StateReader, Table } from './types.ts';

/** The state at one moment, unaffected by what is applied later. O(1) to take. */
export interface StateSnapshot extends TableSource {
  reader(): StateReader;
  /** Every table that has ever been used, by name. */
  readonly tables: ReadonlyMap<string, TableState>;
}

/**
 * The replicated state in memory.
 *
 * 1. Only `apply` and `replace` change it, both synchronous: a query that runs between them reads one consistent state.
 * 2. Whoever holds a view over an `await` takes a `snapshot`; a `reader` of the live state is for one synchronous query.
 * 3. Waits are woken by `commit`, when a whole batch of log entries has been applied.
 */
export class StateStore implements WritableTables {
  readonly notifier = new Notifier();
  #tables = new Map<string, TableState>();
  /** Tables whose trees a snapshot may share: cloned before they are written. */
  readonly #shared = new Set<string>();
  #appliedIndex = 0;
  readonly #commitListeners: (() => void)[] = [];
  readonly #reusable = new ReusableReader(this);

  /** The index of the last entry applied. */
  get appliedIndex(): number {
    return this.#appliedIndex;
  }

  table(table: Table<never>): TableState {
    return this.#tables.get(table.name) ?? this.#create(table);
  }

  writable(table: Table<never>): TableState {
    return this.#unshared(this.table(table));
  }

  tablesWithTombstones(): TableState[] {
    return [...this.#tables.values()].filter((state) => state.tombstones.size > 0).map((state) => this.#unshared(state));
  }

  get rowCount(): number {
    let count = 0;
    for (const state of this.#tables.values()) count += state.rows.size;
    return count;
  }

  /** Removals that are still remembered, in all tables. */
  get tombstoneCount(): number {
    let count = 0;
    for (const state of this.#tables.values()) count += state.tombstones.size;
    return count;
  }

  /** For one synchronous query whose dependencies matter. */
  reader(): TableReader {
    return new TableReader(this);
  }

  /** For one synchronous query whose dependencies do not; the next call hands out the same object. */
  plainReader(): ReusableReader {
    return this.#reusable.fresh();
  }

  snapshot(): StateSnapshot {
    const tables = new Map(this.#tables);
    for (const name of tables.keys()) this.#shared.add(name);
    const source = {
      appliedIndex: this.#appliedIndex,
      tables,
      table: (table: Table<never>): TableState => tables.get(table.name) ?? createTableState(table),
      reader: (): StateReader => new TableReader(source),
    };
    return source;
  }

  /**
   * Applies one log entry: `write` runs in a transaction, which is kept when it returns true.
   * Its changes reach waiters with the next `commit`.
   */
  apply(index: number, timeMs: number, write: (txn: TableTxn) => boolean): void {
    assert(index > this.#appliedIndex, `entry ${index} applied after ${this.#appliedIndex}`);
    this.#appliedIndex = index;
    const txn = new TableTxn(this, index, timeMs);
    let isKept = false;
    try {
      isKept = write(txn);
    } finally {
      if (isKept) this.notifier.collect(txn.changes);
      else txn.rollback();
    }
  }

  /** The end of a batch: wakes who waited for what it changed. */
  commit(): void {
    this.notifier.flush();
    for (const listener of this.#commitListeners) listener();
  }

  /** Called after every batch and every replacement, for the life of the store. */
  onCommit(listener: () => void): void {
    this.#commitListeners.push(listener);
  }

  /** Replaces everything (snapshot restore) and wakes every waiter. The index may go back. */
  replace(tables: ReadonlyMap<string, TableState>, appliedIndex: number): void {
    this.#tables = new Map(tables);
    this.#shared.clear();
    this.#appliedIndex = appliedIndex;
    this.notifier.abandonAll();
    for (const listener of this.#commitListeners) listener();
  }

  #unshared(state: TableState): TableState {
    if (this.#shared.size === 0 || !this.#shared.delete(state.name)) return state;
    const copy = cloneTableState(state);
    this.#tables.set(state.name, copy);
    return copy;
  }

  #create<Row extends RaftIndex>(table: Table<Row>): TableState {
    const state = createTableState(table);
    this.#tables.set(table.name, state);
    return state;
  }
}
