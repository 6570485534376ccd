/** A scheduled callback that can still be taken back. */
export interface Timer {
  /** Idempotent; after it returns the callback never runs. */
  cancel(): void;
}

/**
 * Time, as a port: everything that waits or compares times takes one, so that tests and the simulator move it by hand.
 *
 * 1. `now` is wall-clock time and may jump either way (NTP, a sleeping laptop): use it for certificate validity and for display.
 * 2. `monotonic` never goes back: use it for measuring and for deadlines.
 * 3. `setTimer` accepts any non-negative delay and is never early: when it calls back, `monotonic` has advanced by `delayMs` at least. Node fires
 *    delays over 2^31-1 ms at once, and others up to some milliseconds early; implementations must not.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Milliseconds since an arbitrary origin. */
  monotonic(): number;
  /** Calls back once after `delayMs`. The timer does not keep the process alive by itself. */
  setTimer(delayMs: number, callback: () => void): Timer;
}

/** Resolves after `delayMs`, or rejects with the signal's reason when it aborts first. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const onAbort = (): void => {
      timer.cancel();
      reject(signal?.reason as Error);
    };
    const timer = clock.setTimer(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** Waits for `work`, no longer than `atMostMs`; it goes on by itself. @returns whether it is done @throws what it rejects with in that time */
export async function doneWithin(clock: Clock, atMostMs: number, work: Promise<unknown>): Promise<boolean> {
  const isOver = new AbortController();
  const late = sleep(clock, atMostMs, isOver.signal).then(
    () => false,
    () => false,
  );
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    isOver.abort();
  }
}
