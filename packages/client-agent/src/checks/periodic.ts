import type { Clock, Logger, Random, Timer } from '@lictor/protocol';
import type { CheckRunner, Probe, Publish } from './runner.ts';
import { type ThresholdOptions, Thresholds } from './thresholds.ts';

/** Shorter intervals are raised to this one (consul-facts T007). */
export const MIN_INTERVAL_MS = 1_000;

export interface PeriodicOptions {
  readonly checkId: string;
  readonly intervalMs: number;
  readonly thresholds: ThresholdOptions;
  readonly probe: Probe;
  readonly publish: Publish;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/**
 * Probes at a random point of the first interval, then each interval after the last probe ended, so that a slow target is never
 * probed twice at once.
 */
export class PeriodicCheck implements CheckRunner {
  readonly #options: PeriodicOptions;
  readonly #thresholds: Thresholds;
  readonly #intervalMs: number;
  #timer: Timer | undefined;
  #running: AbortController | undefined;
  #isStopped = false;
  /** Asked to look while a look was under way: that one may have come too early. */
  #isAgainDue = false;

  constructor(options: PeriodicOptions) {
    this.#options = options;
    this.#thresholds = new Thresholds(options.thresholds);
    this.#intervalMs = Math.max(MIN_INTERVAL_MS, options.intervalMs);
    if (options.intervalMs < MIN_INTERVAL_MS) {
      options.logger.warn('check has interval below minimum', { check: options.checkId, minimum_interval: '1s' });
    }
  }

  start(): void {
    this.#schedule(this.#options.random.float() * this.#intervalMs);
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#running?.abort(new Error('check stopped'));
  }

  runNow(): void {
    if (this.#isStopped) return;
    if (this.#running === undefined) this.#run();
    else this.#isAgainDue = true;
  }

  #schedule(delayMs: number): void {
    this.#timer = this.#options.clock.setTimer(delayMs, () => this.#run());
  }

  #run(): void {
    this.#timer?.cancel();
    this.#isAgainDue = false;
    const running = new AbortController();
    this.#running = running;
    void this.#probe(running.signal).finally(() => {
      this.#running = undefined;
      if (this.#isStopped) return;
      if (this.#isAgainDue) this.#run();
      else this.#schedule(this.#intervalMs);
    });
  }

  async #probe(signal: AbortSignal): Promise<void> {
    const { checkId, probe, publish, logger } = this.#options;
    const result = await probe(signal).catch((error: unknown) => ({
      status: 'critical' as const,
      output: error instanceof Error ? error.message : String(error),
    }));
    if (this.#isStopped) return;
    const status = this.#thresholds.next(result.status);
    if (status === undefined) {
      logger.debug('Check has not reached its threshold', { check: checkId, status: result.status });
      return;
    }
    if (status === 'passing') logger.debug('Check status updated', { check: checkId, status });
    else logger.warn(`Check is now ${status}`, { check: checkId });
    publish(status, result.output);
  }
}
