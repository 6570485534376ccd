import { FakeClock, seededRandom } from '@lictor/protocol/testing';
import { describe, expect, it } from 'vitest';
import { ApiError } from './errors.ts';
import type { Answer, QueryMeta, QueryOptions } from './query.ts';
import { watch, watchHash } from './watch.ts';

type Step = { readonly index: number; readonly value: string; readonly hash?: string } | Error;

/** Answers with the steps in turn, then blocks until the watch is ended. */
function scripted(steps: readonly Step[]): {
  readonly asked: QueryOptions[];
  readonly query: (options: QueryOptions) => Promise<Answer<string>>;
} {
  const asked: QueryOptions[] = [];
  const query = async (options: QueryOptions): Promise<Answer<string>> => {
    asked.push(options);
    const step = steps[asked.length - 1];
    if (step === undefined)
      return new Promise((_resolve, reject) => options.signal?.addEventListener('abort', () => reject(new Error('aborted'))));
    if (step instanceof Error) throw step;
    return { value: step.value, meta: { index: step.index, indexText: String(step.index), contentHash: step.hash ?? '' } as QueryMeta };
  };
  return { asked, query };
}

async function collect(
  steps: readonly Step[],
  kind: typeof watch = watch,
): Promise<{ values: string[]; asked: readonly QueryOptions[]; pauses: number[] }> {
  const { asked, query } = scripted(steps);
  const clock = new FakeClock();
  const end = new AbortController();
  const values: string[] = [];
  const pauses: number[] = [];
  const options = { clock, random: seededRandom(1), signal: end.signal, onError: (_error: unknown, ms: number) => void pauses.push(ms) };
  const done = (async () => {
    for await (const { value } of kind(query, options)) values.push(value);
  })();
  for (let round = 0; round < 200 && asked.length <= steps.length; round++) await clock.advance(10_000);
  end.abort();
  await done;
  return { values, asked: asked.slice(0, steps.length + 1), pauses };
}

describe('a watch (blocking queries, "Implementation Details")', () => {
  it('asks for what follows the last index', async () => {
    const { values, asked } = await collect([
      { index: 5, value: 'a' },
      { index: 8, value: 'b' },
    ]);
    expect(values).toEqual(['a', 'b']);
    expect(asked.map(({ index }) => index)).toEqual([undefined, 5, 8]);
  });

  it('says nothing when a query times out without a change', async () => {
    const { values } = await collect([
      { index: 5, value: 'a' },
      { index: 5, value: 'a' },
      { index: 6, value: 'b' },
    ]);
    expect(values).toEqual(['a', 'b']);
  });

  it('starts afresh when the index goes back', async () => {
    const { values, asked } = await collect([
      { index: 50, value: 'old' },
      { index: 3, value: 'restored' },
      { index: 4, value: 'new' },
    ]);
    expect(values).toEqual(['old', 'restored', 'new']);
    expect(asked.map(({ index }) => index)).toEqual([undefined, 50, undefined, 4]);
  });

  it('survives failures, waiting longer each time and never longer than three minutes', async () => {
    const failures = Array.from({ length: 20 }, () => new ApiError(500, 'No cluster leader'));
    const { values, pauses, asked } = await collect([{ index: 5, value: 'a' }, ...failures, { index: 9, value: 'b' }]);
    expect(values).toEqual(['a', 'b']);
    expect(pauses).toHaveLength(20);
    expect(pauses[0]).toBeLessThanOrEqual(1000);
    expect(pauses[4]).toBeGreaterThan(pauses[0] ?? 0);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(180_000);
    expect(asked[2]?.index).toBeUndefined();
  });

  it("blocks by content hash on the agent's own services", async () => {
    const { values, asked } = await collect(
      [
        { index: 0, hash: 'h1', value: 'a' },
        { index: 0, hash: 'h1', value: 'a' },
        { index: 0, hash: 'h2', value: 'b' },
      ],
      watchHash,
    );
    expect(values).toEqual(['a', 'b']);
    expect(asked.map(({ hash }) => hash)).toEqual([undefined, 'h1', 'h1', 'h2']);
  });
});
