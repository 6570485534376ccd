import type { Clock, Metrics } from '@lictor/protocol';

const REPORT_MS = 1000;

/** The share of time that something is busy, between 0 and 1, about once a second. */
export class Saturation {
  readonly #name: string;
  readonly #clock: Clock;
  readonly #metrics: Metrics;
  #busyMs = 0;
  #sinceMs: number;

  constructor(name: string, clock: Clock, metrics: Metrics) {
    this.#name = name;
    this.#clock = clock;
    this.#metrics = metrics;
    this.#sinceMs = clock.monotonic();
  }

  add(busyMs: number): void {
    this.#busyMs += busyMs;
  }

  /** Once a tick. */
  report(): void {
    const nowMs = this.#clock.monotonic();
    const elapsedMs = nowMs - this.#sinceMs;
    if (elapsedMs < REPORT_MS) return;
    this.#metrics.addSample(this.#name, Math.min(1, this.#busyMs / elapsedMs));
    this.#busyMs = 0;
    this.#sinceMs = nowMs;
  }
}
