import type { Clock, Logger, Timer } from '@lictor/protocol';
import type { CheckUpdateStatus } from '../contracts/index.ts';
import type { CheckRunner, Publish } from './runner.ts';

export interface TtlOptions {
  readonly checkId: string;
  readonly ttlMs: number;
  readonly outputMaxBytes: number;
  readonly publish: Publish;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Its owner reports; silence for longer than the TTL is critical (consul-facts K040). */
export class TtlCheck implements CheckRunner {
  readonly #options: TtlOptions;
  #timer: Timer | undefined;
  #lastOutput = '';
  #isStopped = false;

  constructor(options: TtlOptions) {
    this.#options = options;
  }

  start(): void {
    this.#arm();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  /** Renews the TTL. @returns the output as kept, cut to the limit */
  update(status: CheckUpdateStatus, output: string): string {
    const { outputMaxBytes, publish, logger, checkId } = this.#options;
    const bytes = Buffer.from(output);
    const kept =
      bytes.length > outputMaxBytes
        ? `${bytes.subarray(0, outputMaxBytes).toString('utf8')} ... (captured ${outputMaxBytes} of ${bytes.length} bytes)`
        : output;
    logger.debug('Check status updated', { check: checkId, status });
    publish(status, kept);
    this.#lastOutput = kept;
    this.#arm();
    return kept;
  }

  #arm(): void {
    this.#timer?.cancel();
    if (this.#isStopped) return;
    this.#timer = this.#options.clock.setTimer(this.#options.ttlMs, () => this.#expire());
  }

  #expire(): void {
    this.#options.logger.warn('Check missed TTL, is now critical', { check: this.#options.checkId });
    const last = this.#lastOutput;
    this.#options.publish('critical', last === '' ? 'TTL expired' : `TTL expired (last output before timeout follows): ${last}`);
  }
}
