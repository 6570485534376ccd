import { sleep } from '@lictor/protocol';
import type { LictorClient } from '../client.ts';
import { isRetryable } from '../errors.ts';
import type { Answer, QueryOptions } from '../query.ts';

export interface MonitorOptions {
  /** How many failures in a row to ride out. Default 0: the first one counts as a loss. */
  readonly retries: number;
  readonly retryMs: number;
  /** Ends the monitor: the lock was given back. */
  readonly signal: AbortSignal;
}

/** Blocking, consistent reads until `isHeld` says no; resolves when the lock is lost or `signal` ends it. */
export async function monitor<T>(
  client: LictorClient,
  query: (options: QueryOptions) => Promise<Answer<T>>,
  isHeld: (value: T) => boolean,
  options: MonitorOptions,
): Promise<void> {
  const { signal, retryMs } = options;
  let index = 0;
  let retries = options.retries;
  while (!signal.aborted) {
    try {
      const { value, meta } = await query({ consistency: 'consistent', signal, ...(index > 0 ? { index } : {}) });
      if (!isHeld(value)) return;
      index = meta.index;
      retries = options.retries;
    } catch (error) {
      if (signal.aborted || retries <= 0 || !isRetryable(error)) return;
      retries--;
      index = 0;
      await sleep(client.clock, retryMs, signal).catch(() => undefined);
    }
  }
}
