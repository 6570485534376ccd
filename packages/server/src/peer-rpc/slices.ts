import type { Clock } from '@lictor/protocol';

/** Work in steps: each `yield` is a place where it may be left alone for a while. What it returns is its result. */
export type Steps<T> = Generator<void, T, void>;

/** How long one turn of the event loop may go on with such work, ms (design.md section 3, "the loop is sacred": 10 ms in all). */
const SLICE_MS = 3;

interface Job {
  /** True: there is more to do. */
  step(): boolean;
  readonly fail: (error: unknown) => void;
}

/** Does one piece of long work after the other, a slice each turn of the event loop, however many there are. */
export class SliceQueue {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #nextTurn: (run: () => void) => void;
  readonly #jobs: Job[] = [];
  #isScheduled = false;

  constructor(clock: Pick<Clock, 'monotonic'>, nextTurn: (run: () => void) => void = (run) => void setImmediate(run)) {
    this.#clock = clock;
    this.#nextTurn = nextTurn;
  }

  /** Rejects with what the steps throw, or with the signal's reason. */
  run<T>(steps: Steps<T>, signal?: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      const step = (): boolean => {
        signal?.throwIfAborted();
        const { done, value } = steps.next();
        if (done === true) resolve(value);
        return done !== true;
      };
      this.#jobs.push({ step, fail: reject });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#isScheduled || this.#jobs.length === 0) return;
    this.#isScheduled = true;
    this.#nextTurn(() => {
      this.#isScheduled = false;
      this.#turn();
      this.#schedule();
    });
  }

  #turn(): void {
    const endMs = this.#clock.monotonic() + SLICE_MS;
    for (let job = this.#jobs[0]; job !== undefined; job = this.#jobs[0]) {
      if (!isUnfinished(job)) this.#jobs.shift();
      if (this.#clock.monotonic() >= endMs) return;
    }
  }
}

function isUnfinished(job: Job): boolean {
  try {
    return job.step();
  } catch (thrown) {
    job.fail(thrown);
    return false;
  }
}

/** All at once. */
export function runAtOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}
