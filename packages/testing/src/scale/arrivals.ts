/** When a change had arrived at each watcher, ms after it was asked for. */
export interface Spread {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Waits for one change to arrive everywhere, once at each watcher. */
export class Arrivals {
  readonly #expected: number;
  readonly #startedMs: number;
  readonly #times = new Map<string, number>();
  readonly #all = Promise.withResolvers<void>();

  /** The change is asked for now. */
  constructor(expected: number) {
    this.#expected = expected;
    this.#startedMs = performance.now();
  }

  note(watcher: string): void {
    if (this.#times.has(watcher)) return;
    this.#times.set(watcher, performance.now() - this.#startedMs);
    if (this.#times.size === this.#expected) this.#all.resolve();
  }

  /** @throws Error when not all have heard in time */
  async spread(waitMs: number): Promise<Spread> {
    const late = setTimeout(
      () => this.#all.reject(new Error(`${this.#times.size} of ${this.#expected} watchers heard within ${waitMs} ms`)),
      waitMs,
    );
    await this.#all.promise.finally(() => clearTimeout(late));
    return spreadOf([...this.#times.values()]);
  }
}

export function spreadOf(timesMs: readonly number[]): Spread {
  const sorted = timesMs.toSorted((one, other) => one - other);
  const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
  return { count: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}
