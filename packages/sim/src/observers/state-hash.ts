import { crc32 } from 'node:zlib';
import { ALL_TABLES, encodeStateValue, type StateStore } from '@lictor/server/internal';

/** Rows are immutable: each is hashed once. */
const rowHashes = new WeakMap<object, number>();
/** A table's index tells of every write and removal, its sizes of what is reaped. */
const tableHashes = new WeakMap<
  object,
  { readonly index: number; readonly rows: number; readonly tombstones: number; readonly sum: number }
>();

/** Of everything that a snapshot keeps: rows, tombstones and the indexes of tables. Independent of the order of rows. */
export function stateHash(store: StateStore): number {
  let hash = store.appliedIndex;
  for (const [position, table] of ALL_TABLES.entries()) {
    const state = store.table(table);
    if (state.index === 0) continue;
    const known = tableHashes.get(state);
    const isSame = known?.index === state.index && known.rows === state.rows.size && known.tombstones === state.tombstones.size;
    const sum = isSame ? known.sum : tableHash(state);
    if (!isSame) tableHashes.set(state, { index: state.index, rows: state.rows.size, tombstones: state.tombstones.size, sum });
    hash = Math.imul(hash ^ position, 0x01000193) ^ sum;
  }
  return hash >>> 0;
}

function tableHash(state: ReturnType<StateStore['table']>): number {
  let sum = state.index;
  state.rows.forEach('', (row) => {
    sum = (sum + rowHash(row)) | 0;
  });
  state.tombstones.forEach('', (index, key) => {
    sum = (sum + Math.imul(crc32(key), index)) | 0;
  });
  for (const { extinction } of state.indexes) sum = Math.imul(sum ^ extinction, 0x9e3779b1);
  return sum;
}

/** By table, for people. */
export function describeState(store: StateStore): string {
  return ALL_TABLES.map((table) => store.table(table))
    .filter(({ index }) => index > 0)
    .map(({ name, index, rows, tombstones }) => `${name}@${index}:${rows.size}+${tombstones.size}`)
    .join(' ');
}

function rowHash(row: object): number {
  const known = rowHashes.get(row);
  if (known !== undefined) return known;
  const hash = crc32(encodeStateValue(row));
  rowHashes.set(row, hash);
  return hash;
}
