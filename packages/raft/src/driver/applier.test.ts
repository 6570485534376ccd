import { type Clock, silentMetrics } from '@lictor/protocol';
import { describe, expect, it } from 'vitest';
import { entry } from '../testing/driven-core.ts';
import { Applier } from './applier.ts';
import { NodeMetrics } from './node-metrics.ts';

const ENTRIES = 1024;
const SLICES = 8;

/** How many slices are applied in each turn of the event loop, when each takes so long. */
async function turns(sliceMs: number): Promise<number[]> {
  let elapsedMs = 0;
  const clock: Clock = { now: () => 0, monotonic: () => elapsedMs, setTimer: () => ({ cancel: () => undefined }) };
  const perTurn = [0];
  const turn = (): void => {
    perTurn.push(0);
    if (applier.applied < ENTRIES) setImmediate(turn);
  };
  const applier = new Applier(
    {
      apply: (entries) => {
        perTurn.push((perTurn.pop() ?? 0) + 1);
        elapsedMs += sliceMs;
        return entries;
      },
      snapshot: () => (async function* () {})(),
      restore: () => Promise.resolve(),
    },
    { clock, metrics: new NodeMetrics(clock, silentMetrics, 100) },
    5,
    0,
    { applied: () => undefined, failed: (error) => expect.unreachable(String(error)) },
  );
  applier.push(Array.from({ length: ENTRIES }, (_, position) => entry(position + 1, 1)));
  setImmediate(turn);
  await applier.idle();
  expect(applier.applied).toBe(ENTRIES);
  return perTurn.filter((slices) => slices > 0);
}

describe('applying', () => {
  it('lets the event loop have its turn after 5 ms, looked at after each slice', async () => {
    expect(await turns(3)).toEqual([2, 2, 2, 2]);
    expect(await turns(9)).toEqual(Array.from({ length: SLICES }, () => 1));
  });

  it('goes on while it is quick', async () => {
    expect(await turns(0.5)).toEqual([SLICES]);
  });

  it('lets it have its turn also when whoever proposes needs none', async () => {
    let elapsedMs = 0;
    const clock: Clock = { now: () => 0, monotonic: () => elapsedMs, setTimer: () => ({ cancel: () => undefined }) };
    let next = 1;
    const machine = {
      apply: (entries: readonly unknown[]) => {
        elapsedMs += 1;
        return entries;
      },
      snapshot: () => (async function* () {})(),
      restore: () => Promise.resolve(),
    };
    const propose = (): void => {
      if (next <= 100) queueMicrotask(() => applier.push([entry(next++, 1)]));
    };
    const applier: Applier = new Applier(machine, { clock, metrics: new NodeMetrics(clock, silentMetrics, 100) }, 5, 0, {
      applied: propose,
      failed: (error) => expect.unreachable(String(error)),
    });
    propose();
    await new Promise((resolve) => setImmediate(resolve));
    expect(applier.applied).toBeLessThan(20);
    for (let turn = 0; turn < 100 && applier.applied < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(applier.applied).toBe(100);
  });
});
