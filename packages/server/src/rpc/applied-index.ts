import { LictorError, type Clock } from '@lictor/protocol';
import type { StateStore } from '../state/store.ts';

interface Wait {
  readonly index: number;
  readonly settle: (error?: LictorError) => void;
}

/** Readers who must see a write that they know the index of: read your writes on any server. */
export class AppliedIndexWaits {
  readonly #store: StateStore;
  readonly #clock: Clock;
  readonly #waits = new Set<Wait>();

  constructor(store: StateStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
    store.onCommit(() => this.#check());
  }

  get size(): number {
    return this.#waits.size;
  }

  /** @throws LictorError `deadline-exceeded`, `cancelled` */
  wait(index: number, waitMs: number, signal?: AbortSignal): Promise<void> {
    if (this.#store.appliedIndex >= index) return Promise.resolve();
    if (signal?.aborted) return Promise.reject(new LictorError('cancelled', 'request cancelled'));
    return new Promise((resolve, reject) => {
      const onAbort = (): void => wait.settle(new LictorError('cancelled', 'request cancelled'));
      const onTimeout = (): void => {
        wait.settle(new LictorError('deadline-exceeded', `this server has not applied index ${index} in time`));
      };
      const timer = this.#clock.setTimer(waitMs, onTimeout);
      const wait: Wait = {
        index,
        settle: (error) => {
          this.#waits.delete(wait);
          timer.cancel();
          signal?.removeEventListener('abort', onAbort);
          if (error === undefined) resolve();
          else reject(error);
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waits.add(wait);
    });
  }

  close(error: LictorError): void {
    for (const wait of this.#waits) wait.settle(error);
  }

  #check(): void {
    for (const wait of this.#waits) if (this.#store.appliedIndex >= wait.index) wait.settle();
  }
}
