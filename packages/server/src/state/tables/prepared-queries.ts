import type { PreparedQuery } from '@lictor/protocol';
import type { Table } from '../types.ts';
import { foldName } from './keys.ts';

/**
 * Prepared queries by id. Names are found without regard to case; a template's is the prefix that it answers to, and may be empty.
 */
export const preparedQueriesTable: Table<PreparedQuery> = {
  name: 'prepared-queries',
  key: (row) => preparedQueryKey(row.ID),
  indexes: {
    name: (row) => (row.Name === '' ? [] : [foldName(row.Name)]),
    template: (row) => (row.Template.Type === '' ? [] : [foldName(row.Name)]),
    session: (row) => (row.Session === '' ? [] : [row.Session]),
  },
};

export function preparedQueryKey(id: string): string {
  return foldName(id);
}
