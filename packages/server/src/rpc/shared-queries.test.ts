import { FakeClock } from '@lictor/protocol/testing';
import { LictorError } from '@lictor/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { StateStore } from '../state/store.ts';
import { kvTable } from '../state/tables/kv.ts';
import { type Evaluate, type Evaluation, SharedQueries } from './shared-queries.ts';

let store: StateStore;
let clock: FakeClock;
let queries: SharedQueries;
let evaluations: number;

beforeEach(() => {
  store = new StateStore();
  clock = new FakeClock();
  queries = new SharedQueries(store, clock);
  evaluations = 0;
});

function get(key: string): Evaluate {
  return (reader) => {
    evaluations++;
    const row = reader.get(kvTable, key);
    return {
      index: reader.resultIndex(),
      value: { text: row === undefined ? '' : Buffer.from(row.Value).toString() },
      resultsFilteredByAcls: false,
    };
  };
}

/** Each list is a batch of its own entries. */
function set(...pairs: readonly (readonly [string, string])[]): void {
  for (const [Key, text] of pairs) {
    store.apply(store.appliedIndex + 1, 0, (txn) => {
      txn.put(kvTable, { Key, Value: Buffer.from(text), Flags: 0, LockIndex: 0, Session: '', CreateIndex: 0, ModifyIndex: 0 });
      return true;
    });
  }
  store.commit();
}

function block(key: string, minIndex: number, waitMs = 300_000, signal?: AbortSignal): Promise<Evaluation> {
  return queries.block(key, get(key), { minIndex, waitMs, signal });
}

function expectNothingLeft(): void {
  expect(queries.blocked).toBe(0);
  expect(clock.pendingTimers).toBe(0);
}

describe('blocked queries', () => {
  it('run once for 2,000 identical callers, who get the very same value', async () => {
    set(['a', '1']);
    const waiting = Array.from({ length: 2000 }, () => block('a', 1));
    expect(evaluations).toBe(1);
    set(['a', '2']);
    await clock.advance(0);
    const answers = await Promise.all(waiting);
    expect(evaluations).toBe(2);
    expect(new Set(answers.map((answer) => answer.value)).size).toBe(1);
    expect(answers[0]).toMatchObject({ index: 2, value: { text: '2' } });
    expectNothingLeft();
  });

  it('answer at once when the index is already past', async () => {
    set(['a', '1'], ['a', '2']);
    expect(await block('a', 1)).toMatchObject({ index: 2 });
    expectNothingLeft();
  });

  it('are not run again for changes of what they did not read', async () => {
    set(['a', '1'], ['b', '1']);
    const waiting = block('a', 1);
    set(['b', '2'], ['b', '3']);
    await clock.advance(0);
    expect(evaluations).toBe(1);
    expect(queries.blocked).toBe(1);
    set(['a', '2']);
    expect(await waiting).toMatchObject({ index: 5 });
  });

  it('see a whole batch, once', async () => {
    set(['a', '1']);
    const waiting = block('a', 1);
    set(['a', '2'], ['a', '3'], ['a', '4']);
    expect(await waiting).toMatchObject({ value: { text: '4' } });
    expect(evaluations).toBe(2);
  });

  it('answer only the callers whose index is passed', async () => {
    set(['a', '1']);
    const first = block('a', 1);
    const later = block('a', 100);
    set(['a', '2']);
    expect(await first).toMatchObject({ index: 2 });
    expect(queries.blocked).toBe(1);
    await clock.advance(300_000);
    expect(await later).toMatchObject({ index: 2 });
    expectNothingLeft();
  });

  it('give the answer as it is when the time is up, and leave nothing behind', async () => {
    set(['a', '1']);
    const waiting = block('a', 1, 1000);
    await clock.advance(999);
    expect(queries.blocked).toBe(1);
    await clock.advance(1);
    expect(await waiting).toMatchObject({ index: 1, value: { text: '1' } });
    expectNothingLeft();
  });

  it('never let the index of an empty answer go back at the timeout', async () => {
    set(['other', '1']);
    await block('none', 0);
    set(['other', '2'], ['other', '3']);
    const waiting = block('none', 3, 1000);
    await clock.advance(1000);
    expect(await waiting).toMatchObject({ index: 3 });
  });

  it('end with the signal, and leave nothing behind', async () => {
    const aborter = new AbortController();
    const waiting = block('a', 1, 1000, aborter.signal);
    aborter.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
    expectNothingLeft();
    await expect(block('a', 1, 1000, aborter.signal)).rejects.toMatchObject({ code: 'cancelled' });
    expectNothingLeft();
  });

  it('leave no wait in the notifier once an answer nobody asked for again has changed', async () => {
    set(['a', '1']);
    const aborter = new AbortController();
    const waiting = block('a', 1, 1000, aborter.signal);
    aborter.abort();
    await expect(waiting).rejects.toThrow();
    set(['a', '2']);
    expect(store.notifier.size).toBe(0);
    expect(queries.size).toBe(0);
    expect(evaluations).toBe(1);
  });

  it('fail all together when the query does', async () => {
    set(['a', '1']);
    let isDenied = false;
    const evaluate: Evaluate = (reader) => {
      if (isDenied) throw new LictorError('permission-denied', 'Permission denied');
      return get('a')(reader);
    };
    const waiting = [1, 2].map(() => queries.block('q', evaluate, { minIndex: 1, waitMs: 1000 }));
    isDenied = true;
    set(['a', '2']);
    for (const each of waiting) await expect(each).rejects.toMatchObject({ code: 'permission-denied' });
    expectNothingLeft();
    expect(store.notifier.size).toBe(0);
  });

  it('answer thousands over several turns of the event loop', async () => {
    set(['a', '1']);
    const waiting = Array.from({ length: 2000 }, () => block('a', 1));
    let answered = 0;
    for (const each of waiting) void each.then(() => answered++);
    set(['a', '2']);
    await new Promise((resolve) => setImmediate(resolve));
    expect(answered).toBe(512);
    await clock.advance(0);
    expect(answered).toBe(2000);
  });

  it('are all refused when the server stops', async () => {
    const waiting = block('a', 5);
    queries.close(new LictorError('unavailable', 'server is shutting down'));
    await expect(waiting).rejects.toMatchObject({ code: 'unavailable' });
    await expect(block('a', 5)).rejects.toMatchObject({ code: 'unavailable' });
    expectNothingLeft();
    expect(store.notifier.size).toBe(0);
  });
});

describe('plain queries', () => {
  it('are answered from memory from the third call on, until what they read changes', () => {
    set(['a', '1']);
    const answers = [1, 2, 3, 4].map(() => queries.read('a', get('a')).value);
    expect(evaluations).toBe(2);
    expect(answers[3]).toBe(answers[1]);
    set(['b', '1']);
    queries.read('a', get('a'));
    expect(evaluations).toBe(2);
    set(['a', '2']);
    expect(queries.read('a', get('a'))).toMatchObject({ index: 3, value: { text: '2' } });
    expect(evaluations).toBe(3);
  });

  it('share with blocked ones', async () => {
    set(['a', '1']);
    const waiting = block('a', 1);
    queries.read('a', get('a'));
    expect(evaluations).toBe(1);
    set(['a', '2']);
    const now = queries.read('a', get('a'));
    expect((await waiting).value).toBe(now.value);
    expect(evaluations).toBe(2);
  });

  it('keep answers of a bounded number of rows, but the newest whatever its size', async () => {
    for (let at = 0; at < 1000; at++) set([`k${String(at).padStart(3, '0')}`, 'v']);
    const list: Evaluate = (reader) => {
      // As if the table were 300 times as long.
      for (let round = 0; round < 300; round++) reader.scan(kvTable, 'k');
      return { index: reader.resultIndex(), value: [], resultsFilteredByAcls: false };
    };
    for (const key of ['a', 'b', 'c', 'a', 'b', 'c']) queries.read(key, list);
    expect(queries.size).toBe(1);
    const waiting = queries.block('d', list, { minIndex: 1000, waitMs: 1000 });
    set(['k', 'v']);
    expect(await waiting).toMatchObject({ index: 1001 });
  });

  it('keep a bounded number of answers', () => {
    for (let round = 0; round < 2; round++) {
      for (let at = 0; at < 3000; at++) queries.read(`k${at}`, get(`k${at}`));
    }
    expect(queries.size).toBe(512);
    expect(store.notifier.size).toBe(512);
    queries.read('k2999', get('k2999'));
    expect(evaluations).toBe(6000);
  });
});
