import { FakeClock } from '@lictor/protocol/testing';
import { describe, expect, it } from 'vitest';
import type { PersistBatch } from '../core/effects.ts';
import type { Entry } from '../core/entry.ts';
import { entry } from '../testing/driven-core.ts';
import { MemoryLogStore } from '../storage/memory-log-store.ts';
import { LogWriter } from './log-writer.ts';

function batchOf(entries: readonly Entry[], term = 1): PersistBatch {
  const last = entries.at(-1);
  const token = { lastIndex: last?.index ?? 0, lastTerm: last?.term ?? 0, term };
  return { token, hardState: { term, vote: undefined, commit: 0 }, entries, snapshot: undefined, messages: [] };
}

async function written(batches: readonly PersistBatch[]): Promise<{ readonly store: MemoryLogStore; readonly writes: number[] }> {
  const store = new MemoryLogStore();
  const writes: number[] = [];
  const done = Promise.withResolvers<void>();
  let left = batches.length;
  const writer = new LogWriter(store, new FakeClock(), {
    install: () => Promise.resolve(),
    written: (result) => {
      writes.push(result.batches.length);
      left -= result.batches.length;
      if (left === 0) done.resolve();
    },
    failed: done.reject,
  });
  for (const batch of batches) writer.push(batch);
  await done.promise;
  return { store, writes };
}

describe('batches that wait for the same write', () => {
  it('go together, and a later one replaces what it truncates', async () => {
    const waiting = [
      batchOf([entry(1, 1), entry(2, 1), entry(3, 1)]),
      batchOf([entry(4, 1)]),
      batchOf([entry(3, 2)], 2),
      batchOf([entry(4, 2)], 3),
    ];
    const { store, writes } = await written(waiting);
    const { entries, hardState } = await store.load();
    expect(entries.map(({ index, term }) => `${index}.${term}`)).toEqual(['1.1', '2.1', '3.2', '4.2']);
    expect(hardState.term).toBe(3);
    expect(writes).toEqual([4]);
  });
});
