import { decode, preparedQueryDefinition } from '@lictor/protocol';
import { describe, expect, it } from 'vitest';
import { MAX_QUERIES } from '../../prepared-query/limits.ts';
import { ALL_TABLES } from '../../state/tables/index.ts';
import { preparedQueriesTable } from '../../state/tables/prepared-queries.ts';
import { StateStore } from '../../state/store.ts';
import { createTestStore, type TestStore } from '../../testing/store.ts';
import { decodeSnapshotNow, encodeSnapshot } from '../snapshot/index.ts';
import { PREPARED_QUERY_DELETE, PREPARED_QUERY_SET } from './prepared-query.ts';

const ID = '00000000-0000-0000-0000-00000000000a';

function query(fields: Record<string, unknown> = {}, id = ID) {
  const {
    CreateIndex: _created,
    ModifyIndex: _modified,
    ...rest
  } = decode(preparedQueryDefinition, {
    Name: 'q',
    Service: { Service: 'web' },
    ...fields,
  });
  return { ...rest, ID: id };
}

function rows({ store }: Pick<TestStore, 'store'>) {
  return [...store.reader().scan(preparedQueriesTable)];
}

describe('the commands of prepared queries', () => {
  it('keep a row’s first index, and change nothing when they refuse', () => {
    const state = createTestStore();
    state.apply(PREPARED_QUERY_SET, { query: query(), isUpdate: false });
    state.apply(PREPARED_QUERY_SET, { query: query({ Name: 'r' }), isUpdate: true });
    expect(rows(state)).toMatchObject([{ ID, Name: 'r', CreateIndex: 1, ModifyIndex: 2 }]);
    const before = rows(state);
    const refused: readonly (readonly [body: unknown, message: string])[] = [
      [{ query: query(), isUpdate: false }, `a prepared query with the id '${ID}' already exists`],
      [{ query: query({}, 'other'), isUpdate: true }, "Cannot modify non-existent prepared query: 'other'"],
      [{ query: query({ Name: 'R' }, 'other'), isUpdate: false }, "name 'R' aliases an existing query name"],
      [{ query: query({ Session: 'gone' }), isUpdate: true }, 'invalid session "gone"'],
      [{ query: query({ Name: 'x'.repeat(513) }), isUpdate: true }, 'malformed command prepared-query.set'],
      [{ query: { ...query(), Service: null }, isUpdate: true }, 'malformed command prepared-query.set'],
    ];
    for (const [body, message] of refused) expect(() => state.apply(PREPARED_QUERY_SET, body)).toThrow(message);
    expect(rows(state)).toEqual(before);
    expect(state.apply(PREPARED_QUERY_DELETE, { id: ID.toUpperCase() })).toBe(true);
    expect(state.apply(PREPARED_QUERY_DELETE, { id: ID })).toBe(false);
    expect(rows(state)).toEqual([]);
  });

  it('store the fields of a query and no others', () => {
    const state = createTestStore();
    const sent = { ...query(), Extra: 'x', Service: { ...query().Service, Extra: 'x' } };
    state.apply(PREPARED_QUERY_SET, { query: sent, isUpdate: false });
    expect(JSON.stringify(rows(state))).not.toContain('Extra');
  });

  it('let no more in than the limit, and change those that are there', () => {
    const state = createTestStore();
    state.write((txn) => {
      for (let number = 0; number < MAX_QUERIES; number++) {
        txn.put(preparedQueriesTable, { ...query({ Name: `q${number}` }, `id-${number}`), CreateIndex: 0, ModifyIndex: 0 });
      }
    });
    const more = { query: query({ Name: 'more' }), isUpdate: false };
    expect(() => state.apply(PREPARED_QUERY_SET, more)).toThrow(`there are ${MAX_QUERIES} prepared queries already`);
    state.apply(PREPARED_QUERY_SET, { query: query({ Name: 'renamed' }, 'id-7'), isUpdate: true });
    expect(state.reader().find(preparedQueriesTable, 'name', 'renamed')).toHaveLength(1);
  });

  it('come back from a snapshot as they were, nulls and empty lists told apart; one without them has none', () => {
    const state = createTestStore();
    const service = { Service: 'web', Tags: [], NodeMeta: { a: 'b' }, Failover: { Targets: [{ Datacenter: 'dc2' }] } };
    state.apply(PREPARED_QUERY_SET, { query: query({ Service: service, Token: 'secret', DNS: { TTL: '1s' } }), isUpdate: false });
    expect(restored(state)).toEqual(rows(state));
    expect(rows(state)[0]?.Service).toMatchObject({ Tags: [], IgnoreCheckIDs: null, ServiceMeta: null });
    expect(restored(createTestStore())).toEqual([]);
  });
});

function restored(state: TestStore) {
  const store = new StateStore();
  const { tables, lastIndex } = decodeSnapshotNow(Buffer.concat([...encodeSnapshot(state.store.snapshot())]), ALL_TABLES);
  store.replace(tables, lastIndex);
  return rows({ store });
}
