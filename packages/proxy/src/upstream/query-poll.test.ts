import { FakeClock, MemoryLogger, seededRandom } from '@lictor/protocol/testing';
import type { CheckServiceNode } from '@lictor/protocol';
import { describe, expect, it } from 'vitest';
import { instance } from '../testing/harness.ts';
import { pollQuery } from './query-poll.ts';

function setUp() {
  const clock = new FakeClock();
  const logger = new MemoryLogger();
  const abort = new AbortController();
  const executedMs: number[] = [];
  const found: (readonly CheckServiceNode[])[] = [];
  let failure: Error | undefined;
  const beganMs = clock.monotonic();
  const execute = (): Promise<readonly CheckServiceNode[]> => {
    executedMs.push(clock.monotonic() - beganMs);
    return failure === undefined ? Promise.resolve([instance('socat', 80)]) : Promise.reject(failure);
  };
  const poll = pollQuery('query', execute, { clock, logger, random: seededRandom(1) }, abort.signal, (instances) => found.push(instances));
  const fail = (error: Error | undefined): void => {
    failure = error;
  };
  return { clock, logger, abort, executedMs, found, poll, fail };
}

describe('a prepared query as upstream (consul-facts T026)', () => {
  it('is executed at once, and again every 30 s', async () => {
    const { clock, executedMs, found } = setUp();
    for (let second = 0; second < 65; second++) await clock.advance(1000);
    expect(executedMs).toEqual([0, 30_000, 60_000]);
    expect(found).toHaveLength(3);
  });

  it('is executed within a second when its instances do not serve, however often that is said', async () => {
    const { clock, executedMs, poll } = setUp();
    await clock.advance(10_000);
    poll.hurry();
    await clock.advance(0);
    expect(executedMs).toEqual([0, 10_000]);
    for (let step = 0; step < 20; step++) {
      poll.hurry();
      await clock.advance(100);
    }
    expect(executedMs).toEqual([0, 10_000, 11_000, 12_000]);
  });

  it('keeps what it found while the agent is away, and ends when it is told', async () => {
    const { clock, executedMs, found, fail, logger, abort } = setUp();
    await clock.advance(1000);
    fail(new Error('agent is away'));
    for (let second = 0; second < 120; second++) await clock.advance(1000);
    expect(found).toHaveLength(1);
    expect(logger.lines.some(({ message }) => message === 'Watch errored')).toBe(true);
    fail(undefined);
    for (let second = 0; second < 90; second++) await clock.advance(1000);
    expect(found.length).toBeGreaterThan(1);
    abort.abort();
    const count = executedMs.length;
    for (let second = 0; second < 90; second++) await clock.advance(1000);
    expect(executedMs).toHaveLength(count);
  });
});
