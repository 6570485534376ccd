import { type Clock, LictorError } from '@lictor/protocol';

interface Waiter {
  readonly minIndex: number;
  resolve(outcome: 'news' | 'timeout'): void;
  reject(error: LictorError): void;
}

/** Those who wait on one entry: for its first value (`minIndex` 0) or for news beyond an index. */
export class Waiters {
  readonly #waiting = new Set<Waiter>();

  get size(): number {
    return this.#waiting.size;
  }

  /** @throws LictorError `cancelled`, or the failure of the first fetch */
  wait(clock: Clock, minIndex: number, maxWaitMs: number, signal: AbortSignal | undefined): Promise<'news' | 'timeout'> {
    return new Promise((resolve, reject) => {
      const timer = clock.setTimer(maxWaitMs, () => finish(() => resolve('timeout')));
      const onAbort = (): void => finish(() => reject(new LictorError('cancelled', 'request cancelled')));
      const waiter: Waiter = {
        minIndex,
        resolve: (outcome) => finish(() => resolve(outcome)),
        reject: (error) => finish(() => reject(error)),
      };
      const finish = (settle: () => void): void => {
        if (!this.#waiting.delete(waiter)) return;
        timer.cancel();
        signal?.removeEventListener('abort', onAbort);
        settle();
      };
      this.#waiting.add(waiter);
      if (signal?.aborted) onAbort();
      else signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  news(): void {
    for (const waiter of this.#waiting) waiter.resolve('news');
  }

  /** Those who wait for a first value; the others keep what they have and go on waiting. */
  fail(error: LictorError): void {
    for (const waiter of this.#waiting) if (waiter.minIndex === 0) waiter.reject(error);
  }

  failAll(error: LictorError): void {
    for (const waiter of this.#waiting) waiter.reject(error);
  }
}
