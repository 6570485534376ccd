interface Event {
  readonly atMs: number;
  readonly order: number;
  readonly act: () => void;
}

/** So much at one moment is a loop, not a story. */
const MAX_AT_ONCE = 200_000;

/** A clock that jumps from event to event; those of one moment come in the order in which they were asked for. */
export class VirtualTime {
  /** A binary heap, the earliest first. */
  readonly #events: Event[] = [];
  #order = 0;
  #nowMs = 0;
  #atOnce = 0;

  get nowMs(): number {
    return this.#nowMs;
  }

  advance(durationMs: number): void {
    const endMs = this.#nowMs + durationMs;
    for (let next = this.#popDue(endMs); next !== undefined; next = this.#popDue(endMs)) {
      this.#atOnce = next.atMs === this.#nowMs ? this.#atOnce + 1 : 0;
      if (this.#atOnce > MAX_AT_ONCE) throw new Error(`time stands still at ${Math.round(this.#nowMs)} ms`);
      this.#nowMs = next.atMs;
      next.act();
    }
    this.#nowMs = endMs;
  }

  at(delayMs: number, act: () => unknown): void {
    const event: Event = { atMs: this.#nowMs + delayMs, order: this.#order++, act: () => void act() };
    let at = this.#events.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (isBefore(this.#events[parent], event)) break;
      this.#events[at] = this.#events[parent] ?? event;
      at = parent;
    }
    this.#events[at] = event;
  }

  every(delayMs: () => number, act: () => unknown): void {
    this.at(delayMs(), () => {
      act();
      this.every(delayMs, act);
    });
  }

  #popDue(endMs: number): Event | undefined {
    const [first] = this.#events;
    if (first === undefined || first.atMs > endMs) return undefined;
    const last = this.#events.pop();
    if (last === undefined || this.#events.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#events.length) break;
      const right = this.#events[child + 1];
      if (right !== undefined && isBefore(right, this.#events[child])) child++;
      const smaller = this.#events[child];
      if (smaller === undefined || isBefore(last, smaller)) break;
      this.#events[at] = smaller;
      at = child;
    }
    this.#events[at] = last;
    return first;
  }
}

function isBefore(a: Event | undefined, b: Event | undefined): boolean {
  if (a === undefined || b === undefined) return a !== undefined;
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
