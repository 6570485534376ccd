export interface Timed {
  readonly atMs: number;
  readonly order: number;
}

/** The earliest first; of one moment, in the order in which they were asked for. */
export class EventHeap<Event extends Timed> {
  readonly #events: Event[] = [];

  get first(): Event | undefined {
    return this.#events[0];
  }

  push(event: Event): void {
    let at = this.#events.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = this.#events[parent];
      if (above === undefined || isBefore(above, event)) break;
      this.#events[at] = above;
      at = parent;
    }
    this.#events[at] = event;
  }

  pop(): Event | undefined {
    const [first] = this.#events;
    const last = this.#events.pop();
    if (last === undefined || this.#events.length === 0) return first;
    let at = 0;
    for (;;) {
      const child = this.#earlierChild(at);
      const event = this.#events[child];
      if (event === undefined || isBefore(last, event)) break;
      this.#events[at] = event;
      at = child;
    }
    this.#events[at] = last;
    return first;
  }

  #earlierChild(at: number): number {
    const left = this.#events[2 * at + 1];
    const right = this.#events[2 * at + 2];
    return left !== undefined && right !== undefined && isBefore(right, left) ? 2 * at + 2 : 2 * at + 1;
  }
}

function isBefore(left: Timed, right: Timed): boolean {
  return left.atMs < right.atMs || (left.atMs === right.atMs && left.order < right.order);
}
