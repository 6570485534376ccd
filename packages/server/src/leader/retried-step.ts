import type { Clock, Logger, Timer } from '@lictor/protocol';
import type { LeaderDuty } from './duty.ts';

const RETRY_MS = 5000;

/** Something to be done once after gaining leadership, again and again until it succeeds. */
export class RetriedStep implements LeaderDuty {
  readonly #what: string;
  readonly #run: () => Promise<void>;
  readonly #ports: { readonly clock: Clock; readonly logger: Logger };
  #timer: Timer | undefined;
  #isRunning = false;

  constructor(what: string, run: () => Promise<void>, ports: { readonly clock: Clock; readonly logger: Logger }) {
    this.#what = what;
    this.#run = run;
    this.#ports = ports;
  }

  async start(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    await this.#attempt();
  }

  stop(): void {
    this.#isRunning = false;
    this.#timer?.cancel();
  }

  async #attempt(): Promise<void> {
    try {
      await this.#run();
    } catch (error) {
      this.#ports.logger.error(`${this.#what} failed`, { error });
      if (this.#isRunning) this.#timer = this.#ports.clock.setTimer(RETRY_MS, () => void this.#attempt());
    }
  }
}
