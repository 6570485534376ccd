import type { CheckUpdateStatus } from '../contracts/index.ts';

export interface ThresholdOptions {
  readonly successBeforePassing: number;
  /** 0 takes `failuresBeforeCritical`. */
  readonly failuresBeforeWarning: number;
  readonly failuresBeforeCritical: number;
}

/**
 * Turns results into statuses (consul-facts K032): so many successes in a row before passing, so many failures before warning and
 * before critical. The first result counts at once: a check that starts has no history to protect.
 */
export class Thresholds {
  readonly #options: ThresholdOptions;
  #successes: number;
  #failures: number;

  constructor(options: ThresholdOptions) {
    const warning = options.failuresBeforeWarning === 0 ? options.failuresBeforeCritical : options.failuresBeforeWarning;
    this.#options = { ...options, failuresBeforeWarning: warning };
    this.#successes = options.successBeforePassing;
    this.#failures = options.failuresBeforeCritical;
  }

  /** The status to publish after `result`; undefined leaves the published one alone. */
  next(result: CheckUpdateStatus): CheckUpdateStatus | undefined {
    if (result !== 'critical') {
      this.#successes += 1;
      this.#failures = 0;
      return this.#successes >= this.#options.successBeforePassing ? result : undefined;
    }
    this.#failures += 1;
    this.#successes = 0;
    if (this.#failures >= this.#options.failuresBeforeCritical) return 'critical';
    return this.#failures >= this.#options.failuresBeforeWarning ? 'warning' : undefined;
  }
}
