import type { LictorError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { CallOptions, QueryOptions } from './query.ts';
import { type WaitLimits, waitTimeMs } from './wait-time.ts';

export interface PatienceOptions extends WaitLimits {
  /** How long another server is looked for, ms (`rpc_hold_timeout`, consul-facts T015). */
  readonly holdMs: number;
}

/** An attempt of this length was with a server that had it wait: what comes after is another search. */
const WAITED_MS = 1000;
/** An attempt of this length whose connection was lost then was with a server that had gone silent: keepalive notices that late. */
const SILENT_MS = 5_000;
/** So long after the call began, what a silent server took along is still asked of others. */
const SILENCES_MS = 60_000;

/**
 * How long one call goes on, over all its attempts at one server or another.
 *
 * 1. A call that answers at once is tried for `holdMs` in all.
 * 2. One that blocks waits for its time in all, wherever; when its server goes, the next is looked for during `holdMs`.
 * 3. So it is, too, for one whose server was silent for long, and then lost.
 */
export class Patience {
  readonly #clock: Clock;
  readonly #options: PatienceOptions;
  readonly #startMs: number;
  readonly #waitMs: number;
  #attemptMs: number;
  #failingSinceMs: number;

  constructor(clock: Clock, options: PatienceOptions, query: QueryOptions | undefined) {
    this.#clock = clock;
    this.#options = options;
    this.#startMs = clock.monotonic();
    this.#attemptMs = this.#startMs;
    this.#failingSinceMs = this.#startMs;
    const { minIndex = 0, appliedIndex = 0, maxWaitMs } = query ?? {};
    this.#waitMs = minIndex > 0 || appliedIndex > 0 ? waitTimeMs(maxWaitMs, options) : 0;
  }

  /** An attempt begins. @returns the options for it: it waits for what is left of its time */
  attempt(options: CallOptions): CallOptions {
    this.#attemptMs = this.#clock.monotonic();
    if (this.#waitMs === 0) return options;
    const maxWaitMs = Math.max(1, this.#startMs + this.#waitMs - this.#attemptMs);
    return { ...options, query: { ...options.query, maxWaitMs } };
  }

  /**
   * The attempt has failed, or nobody was there to ask.
   * @param failure how; `unavailable` is one that never reached its server, however long that took
   * @returns for how long another may be made, ms; 0: no more
   */
  restMs(failure: LictorError | undefined): number {
    const nowMs = this.#clock.monotonic();
    const attemptMs = nowMs - this.#attemptMs;
    const wasReached = failure !== undefined && failure.code !== 'unavailable';
    const wasSilent = failure?.code === 'outcome-unknown' && attemptMs >= SILENT_MS;
    if (wasReached && attemptMs >= WAITED_MS) this.#failingSinceMs = nowMs;
    const waitMs = wasSilent ? Math.max(this.#waitMs, SILENCES_MS) : this.#waitMs;
    return Math.max(0, Math.min(this.#failingSinceMs, this.#startMs + waitMs) + this.#options.holdMs - nowMs);
  }
}
