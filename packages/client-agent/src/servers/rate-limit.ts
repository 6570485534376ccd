import type { Clock } from '@lictor/protocol';

export interface RateLimitOptions {
  /** Calls a second; below 0: no limit. */
  readonly rate: number;
  /** Calls at once, when there were none for a while. */
  readonly burst: number;
}

/** A token bucket. */
export class RateLimit {
  readonly #clock: Clock;
  readonly #options: RateLimitOptions;
  #tokens: number;
  #atMs: number;

  constructor(clock: Clock, options: RateLimitOptions) {
    this.#clock = clock;
    this.#options = options;
    this.#tokens = options.burst;
    this.#atMs = clock.monotonic();
  }

  /** False: not now. */
  take(): boolean {
    const { rate, burst } = this.#options;
    if (rate < 0) return true;
    const nowMs = this.#clock.monotonic();
    this.#tokens = Math.min(burst, this.#tokens + ((nowMs - this.#atMs) / 1000) * rate);
    this.#atMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
