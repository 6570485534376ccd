import { crc32 } from 'node:zlib';
import { ALL_TABLES, encodeStateValue, type StateStore } from '@lictor/server/internal';

/** Rows are immutable: each is hashed once. */
const rowHashes = new WeakMap<object, number>();

/** Of everything that a snapshot keeps: rows, tombstones and the indexes of tables. Independent of the order of rows. */
export function stateHash(store: StateStore): number {
  let hash = store.appliedIndex;
  for (const table of ALL_TABLES) {
    const state = store.table(table);
    if (state.index === 0) continue;
    let sum = state.index;
    state.rows.forEach('', (row) => {
      sum = (sum + rowHash(row)) | 0;
    });
    state.tombstones.forEach('', (index, key) => {
      sum = (sum + Math.imul(crc32(key), index)) | 0;
    });
    for (const { extinction } of state.indexes) sum = Math.imul(sum ^ extinction, 0x9e3779b1);
    hash = Math.imul(hash ^ crc32(table.name), 0x01000193) ^ sum;
  }
  return hash >>> 0;
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
