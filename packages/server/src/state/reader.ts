import type { RaftIndex } from '@lictor/protocol';
import { entryPrefix, indexNamed, type TableState } from './table-state.ts';
import type { Dependencies, NamesByGroup, StateReader, Table } from './types.ts';

/** Where a reader finds the tables: the live store, or a snapshot of it. */
export interface TableSource {
  readonly appliedIndex: number;
  table(table: Table<never>): TableState;
}

/**
 * The reader over a `TableSource`. With `track` off it only computes the index, which is all that a query needs whose answer
 * nobody waits on.
 */
export class TableReader implements StateReader {
  protected readonly source: TableSource;
  readonly #track: boolean;
  #index = 0;
  #rows = 0;
  #tables: Set<string> | undefined;
  #keys: Names | undefined;
  #values: Names | undefined;
  #prefixes: Names | undefined;

  constructor(source: TableSource, track = true) {
    this.source = source;
    this.#track = track;
  }

  get appliedIndex(): number {
    return this.source.appliedIndex;
  }

  /** How many rows were read: what an answer costs to make, and about what it costs to keep. */
  get rowsRead(): number {
    return this.#rows;
  }

  get<Row extends RaftIndex>(table: Table<Row>, key: string): Row | undefined {
    const state = this.source.table(table);
    const row = state.rows.get(key) as Row | undefined;
    this.#rows++;
    this.#note(row === undefined ? state.index : row.ModifyIndex);
    if (this.#track) addName((this.#keys ??= new Map()), state.name, key);
    return row;
  }

  scan<Row extends RaftIndex>(table: Table<Row>, prefix = ''): Row[] {
    const state = this.source.table(table);
    const rows: Row[] = [];
    if (prefix === '') {
      state.rows.forEach('', (row) => rows.push(row as Row));
      this.#rows += rows.length;
      this.#noteTable(state);
      return rows;
    }
    let highest = 0;
    state.rows.forEach(prefix, (row) => {
      rows.push(row as Row);
      if (row.ModifyIndex > highest) highest = row.ModifyIndex;
    });
    state.tombstones.forEach(prefix, (removedAt) => {
      if (removedAt > highest) highest = removedAt;
    });
    this.#rows += rows.length;
    this.#note(highest === 0 ? state.index : highest);
    if (this.#track) addName((this.#prefixes ??= new Map()), state.name, prefix);
    return rows;
  }

  find<Row extends RaftIndex>(table: Table<Row>, index: string, value: string): Row[] {
    const state = this.source.table(table);
    const secondary = indexNamed(state, index);
    const bucket = secondary.buckets.get(value);
    this.#note(bucket === undefined ? secondary.extinction : bucket.index);
    if (this.#track) addName((this.#values ??= new Map()), secondary.group, value);
    const rows: Row[] = [];
    if (bucket !== undefined) secondary.entries.forEach(entryPrefix(value), (row) => rows.push(row as Row));
    this.#rows += rows.length;
    return rows;
  }

  count(table: Table<never>): number {
    const state = this.source.table(table);
    this.#noteTable(state);
    return state.rows.size;
  }

  peek<Row extends RaftIndex>(table: Table<Row>, key: string): Row | undefined {
    return this.source.table(table).rows.get(key) as Row | undefined;
  }

  resultIndex(): number {
    return this.#index === 0 ? 1 : this.#index;
  }

  dependencies(): Dependencies {
    return {
      tables: this.#tables ?? NO_TABLES,
      keys: this.#keys ?? NO_NAMES,
      values: this.#values ?? NO_NAMES,
      prefixes: this.#prefixes ?? NO_NAMES,
    };
  }

  /** Forgets what was read, so that one object can serve one query after another. */
  protected reset(): void {
    this.#index = 0;
    this.#rows = 0;
    this.#tables = undefined;
    this.#keys = undefined;
    this.#values = undefined;
    this.#prefixes = undefined;
  }

  #note(index: number): void {
    if (index > this.#index) this.#index = index;
  }

  #noteTable(state: TableState): void {
    this.#note(state.index);
    if (this.#track) (this.#tables ??= new Set()).add(state.name);
  }
}

type Names = Map<string, Set<string>>;

function addName(names: Names, group: string, name: string): void {
  const known = names.get(group);
  if (known === undefined) names.set(group, new Set([name]));
  else known.add(name);
}

/** An untracked reader that is used again for every plain read: such a read costs no allocation here. */
export class ReusableReader extends TableReader {
  constructor(source: TableSource) {
    super(source, false);
  }

  fresh(): this {
    this.reset();
    return this;
  }
}

const NO_TABLES: ReadonlySet<string> = new Set();
const NO_NAMES: NamesByGroup = new Map();
