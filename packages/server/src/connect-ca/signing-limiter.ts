import { type Clock, LictorError, sleep, type Timer } from '@lictor/protocol';

/** Smooths arrivals that a client sees as one; who would have to wait longer is told to come later (consul-facts P025). */
export const MAX_WAIT_MS = 500;

export interface SigningLimits {
  /** Signatures a second, 0 for no limit. */
  readonly csrMaxPerSecond: number;
  /** Signatures at a time, 0 for no limit; only looked at without the other. */
  readonly csrMaxConcurrent: number;
}

interface Waiter {
  readonly start: () => void;
  readonly timer: Timer;
}

/** Bounds how much of a server certificates may take: a token bucket with burst 1, or a semaphore. */
export class SigningLimiter {
  readonly #clock: Clock;
  #perSecond = 0;
  /** Monotonic time at which the next token is there. */
  #nextAtMs = 0;
  #running = 0;
  readonly #waiters = new Set<Waiter>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Runs `work` when the limits allow. @throws LictorError rate-limited */
  async run<Value>(limits: SigningLimits, work: () => Promise<Value>): Promise<Value> {
    if (limits.csrMaxPerSecond > 0) {
      await this.#takeToken(limits.csrMaxPerSecond);
      return work();
    }
    if (limits.csrMaxConcurrent <= 0) return work();
    await this.#enter(limits.csrMaxConcurrent);
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  async #takeToken(perSecond: number): Promise<void> {
    const nowMs = this.#clock.monotonic();
    // A new limit starts with a full bucket, as a new limiter of Consul's does.
    if (perSecond !== this.#perSecond) this.#nextAtMs = nowMs;
    this.#perSecond = perSecond;
    const atMs = Math.max(this.#nextAtMs, nowMs);
    if (atMs - nowMs > MAX_WAIT_MS) throw rateLimited();
    this.#nextAtMs = atMs + 1000 / perSecond;
    if (atMs > nowMs) await sleep(this.#clock, atMs - nowMs);
  }

  #enter(limit: number): Promise<void> {
    if (this.#running < limit) {
      this.#running++;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        start: () => {
          waiter.timer.cancel();
          this.#waiters.delete(waiter);
          resolve();
        },
        timer: this.#clock.setTimer(MAX_WAIT_MS, () => {
          this.#waiters.delete(waiter);
          reject(rateLimited());
        }),
      };
      this.#waiters.add(waiter);
    });
  }

  /** The slot goes to the one who waits longest. */
  #leave(): void {
    const [next] = this.#waiters;
    if (next === undefined) this.#running--;
    else next.start();
  }
}

function rateLimited(): LictorError {
  return new LictorError('rate-limited', 'Rate limit reached, try again later');
}
