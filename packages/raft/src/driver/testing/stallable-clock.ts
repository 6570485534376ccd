import type { Clock, Timer } from '@lictor/protocol';

/** One process's view of a clock that all share: while the process stalls its timers wait. */
export class StallableClock implements Clock {
  readonly #clock: Clock;
  #stalledUntilMs = -Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  stall(forMs: number): void {
    this.#stalledUntilMs = this.monotonic() + forMs;
  }

  now(): number {
    return this.#clock.now();
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    let timer = this.#clock.setTimer(delayMs, () => {
      const leftMs = this.#stalledUntilMs - this.monotonic();
      if (leftMs > 0) timer = this.#clock.setTimer(leftMs, callback);
      else callback();
    });
    return { cancel: () => timer.cancel() };
  }
}
