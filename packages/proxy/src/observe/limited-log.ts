import type { Clock, LogFields, Logger } from '@lictor/protocol';

const BURST = 50;
const REFILL_EVERY_MS = 200;

/** Error lines that anyone on the network can cause: a burst, then five a second, with a count of what was left out. */
export class LimitedLog {
  readonly #logger: Logger;
  readonly #clock: Clock;
  #tokens = BURST;
  #refilledMs: number;
  #suppressed = 0;

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger;
    this.#clock = clock;
    this.#refilledMs = clock.monotonic();
  }

  error(message: string, fields: LogFields): void {
    const nowMs = this.#clock.monotonic();
    const refill = Math.floor((nowMs - this.#refilledMs) / REFILL_EVERY_MS);
    if (refill > 0) {
      this.#tokens = Math.min(BURST, this.#tokens + refill);
      this.#refilledMs = nowMs;
    }
    if (this.#tokens === 0) {
      this.#suppressed++;
      return;
    }
    this.#tokens--;
    this.#logger.error(message, this.#suppressed > 0 ? { ...fields, suppressed: this.#suppressed } : fields);
    this.#suppressed = 0;
  }
}
