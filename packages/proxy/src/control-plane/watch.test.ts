import { describe, expect, it } from 'vitest';
import { FakeClock, MemoryLogger } from '@lictor/protocol/testing';
import type { Read } from './port.ts';
import { watch } from './watch.ts';

const noJitter = { float: () => 0, bytes: (length: number) => new Uint8Array(length) };

interface Setup {
  readonly clock: FakeClock;
  readonly log: MemoryLogger;
  readonly values: string[];
  readonly asked: (string | undefined)[];
  readonly abort: AbortController;
}

/** Watches a read that answers with the next of `answers`, then waits for ever. */
function start(answers: (Error | { readonly value: string; readonly cursor: string; readonly isUnindexed?: boolean })[]): Setup {
  const setup = {
    clock: new FakeClock(),
    log: new MemoryLogger(),
    values: [] as string[],
    asked: [] as (string | undefined)[],
    abort: new AbortController(),
  };
  const read: Read<string> = async (cursor) => {
    setup.asked.push(cursor);
    const next = answers.shift();
    if (next === undefined) return new Promise<never>(() => undefined);
    if (next instanceof Error) throw next;
    return next;
  };
  watch('thing', read, { clock: setup.clock, random: noJitter, logger: setup.log }, setup.abort.signal, (value) =>
    setup.values.push(value),
  );
  return setup;
}

describe('a watch', () => {
  it('hands over each new value and asks for what comes after it', async () => {
    const { clock, values, asked } = start([
      { value: 'a', cursor: '5' },
      { value: 'b', cursor: '7' },
    ]);
    await clock.advance(0);
    expect(values).toEqual(['a', 'b']);
    expect(asked).toEqual([undefined, '5', '7']);
  });

  it('asks twice a second where the agent gives nothing to wait with (Consul 1.8 for intentions)', async () => {
    const { clock, values, asked } = start([
      { value: 'a', cursor: 'content a', isUnindexed: true },
      { value: 'a', cursor: 'content a', isUnindexed: true },
      { value: 'b', cursor: 'content b', isUnindexed: true },
    ]);
    await clock.advance(499);
    expect(asked).toHaveLength(1);
    await clock.advance(1);
    expect(asked).toHaveLength(2);
    await clock.advance(600);
    expect(values).toEqual(['a', 'b']);
  });

  it('says nothing when a blocking read ends without news', async () => {
    const { clock, values } = start([
      { value: 'a', cursor: '5' },
      { value: 'a', cursor: '5' },
      { value: 'b', cursor: '6' },
    ]);
    await clock.advance(9);
    expect(values).toEqual(['a']);
    await clock.advance(1);
    expect(values).toEqual(['a', 'b']);
  });

  it('tries again after 5, 20, 45 ... at most 180 s (consul-facts T028), keeping the last value', async () => {
    const failures = Array.from({ length: 8 }, () => new Error('agent is away'));
    const { clock, values, asked, log } = start([{ value: 'a', cursor: '5' }, ...failures, { value: 'b', cursor: '3' }]);
    await clock.advance(0);
    const waitsMs: number[] = [];
    for (let sinceMs = clock.monotonic(); waitsMs.length < 8; ) {
      const before = asked.length;
      while (asked.length === before) await clock.advance(1000);
      waitsMs.push(clock.monotonic() - sinceMs);
      sinceMs = clock.monotonic();
    }
    expect(waitsMs.map((waitMs) => waitMs / 1000)).toEqual([5, 20, 45, 80, 125, 180, 180, 180]);
    expect(values).toEqual(['a', 'b']);
    expect(asked.slice(0, 4)).toEqual([undefined, '5', undefined, undefined]);
    expect(log.lines.filter(({ message }) => message === 'Watch errored')).toHaveLength(8);
    expect(log.lines[0]?.fields).toEqual({ type: 'thing', error: 'agent is away', retry: '5s', note: 'serving with the last good data' });
    expect(log.lines.at(-1)).toMatchObject({ level: 'info', message: 'agent is back' });
  });

  it('ends when it is told to, in the middle of a wait too', async () => {
    const { clock, abort, asked } = start([new Error('away')]);
    await clock.advance(0);
    abort.abort();
    await clock.advance(60_000);
    expect(asked).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });
});
