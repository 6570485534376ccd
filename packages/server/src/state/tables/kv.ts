import type { KvEntry } from '@lictor/protocol';
import type { Table } from '../types.ts';

/** Keys and values. Locked entries are also found by their session. */
export const kvTable: Table<KvEntry> = {
  name: 'kv',
  key: (entry) => entry.Key,
  indexes: { session: (entry) => (entry.Session === '' ? NO_SESSION : [entry.Session]) },
};

const NO_SESSION: readonly string[] = [];
