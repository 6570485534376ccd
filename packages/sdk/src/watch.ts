import { type Clock, type Random, sleep } from '@lictor/protocol';
import { systemClock, systemRandom } from '@lictor/protocol/system';
import { TransportError } from './errors.ts';
import type { Answer, QueryOptions } from './query.ts';

export interface WatchOptions {
  /** Ends the iteration. */
  readonly signal?: AbortSignal;
  /** How long one query blocks at most, ms. Default: the server's 300 s. */
  readonly waitMs?: number;
  readonly clock?: Clock;
  readonly random?: Random;
  /** Told of every failed query; the watch goes on by itself after `retryInMs`. */
  readonly onError?: (error: unknown, retryInMs: number) => void;
}

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 180_000;
/** Answers that come at once although nothing changed would spin: never ask again sooner than this. */
const SHORTEST_ROUND_MS = 10;

/**
 * Blocking queries as an async iterator: yields the first answer and then each whose index moved. An index that goes back
 * (a restored snapshot, a new cluster) or that is 0 starts the watch afresh; failures are retried with growing, jittered
 * pauses and never end it. Consul's documentation, "Implementation Details" of blocking queries.
 *
 *     for await (const { value } of watch((query) => client.health.service('web', query), { signal })) ...
 */
export function watch<T>(
  query: (options: QueryOptions) => Promise<Answer<T>>,
  options: WatchOptions = {},
): AsyncGenerator<Answer<T>, void, void> {
  let lastIndex = 0;
  return iterate(query, options, {
    next: () => (lastIndex > 0 ? { index: lastIndex } : {}),
    accept: ({ meta }) => {
      const previous = lastIndex;
      lastIndex = meta.index < previous ? 0 : meta.index;
      return previous === 0 || meta.index !== previous;
    },
    reset: () => {
      lastIndex = 0;
    },
  });
}

/** As `watch`, for GET /v1/agent/service/:id, which blocks by content hash. */
export function watchHash<T>(
  query: (options: QueryOptions) => Promise<Answer<T>>,
  options: WatchOptions = {},
): AsyncGenerator<Answer<T>, void, void> {
  let lastHash = '';
  return iterate(query, options, {
    next: () => (lastHash === '' ? {} : { hash: lastHash }),
    accept: ({ meta }) => {
      const previous = lastHash;
      lastHash = meta.contentHash;
      return previous === '' || meta.contentHash !== previous;
    },
    reset: () => {
      lastHash = '';
    },
  });
}

/** Where a watch stands. */
interface Cursor<T> {
  next(): QueryOptions;
  /** Moves on; false when the answer brings nothing new. */
  accept(answer: Answer<T>): boolean;
  reset(): void;
}

async function* iterate<T>(
  query: (options: QueryOptions) => Promise<Answer<T>>,
  options: WatchOptions,
  cursor: Cursor<T>,
): AsyncGenerator<Answer<T>, void, void> {
  const { signal, waitMs, clock = systemClock, random = systemRandom, onError } = options;
  let failures = 0;
  while (!signal?.aborted) {
    const startedMs = clock.monotonic();
    let pauseMs = 0;
    try {
      const answer = await query({
        ...cursor.next(),
        ...(waitMs === undefined ? {} : { waitMs }),
        ...(signal === undefined ? {} : { signal }),
      });
      failures = 0;
      if (cursor.accept(answer)) yield answer;
      pauseMs = startedMs + SHORTEST_ROUND_MS - clock.monotonic();
    } catch (error) {
      if (signal?.aborted) return;
      // A deadline says only that the connection is dead; where the watch stood is still right.
      if (!(error instanceof TransportError)) cursor.reset();
      failures++;
      pauseMs = backoffMs(failures, random);
      onError?.(error, pauseMs);
    }
    if (pauseMs > 0) await sleep(clock, pauseMs, signal).catch(() => undefined);
  }
}

/** Grows with the square of the failures, as Consul's watches do, with up to half taken off at random so that watchers part. */
function backoffMs(failures: number, random: Random): number {
  const fullMs = Math.min(FIRST_RETRY_MS * failures * failures, LONGEST_RETRY_MS);
  return fullMs * (1 - random.float() / 2);
}
