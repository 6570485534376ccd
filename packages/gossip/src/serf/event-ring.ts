interface Slot<T> {
  readonly time: number;
  readonly items: T[];
}

/** Of one Lamport time; more are those of a peer that does not count. */
const MAX_ITEMS_PER_TIME = 64;

/** What was seen at each of the last Lamport times, so that nothing is taken twice. */
export class EventRing<T> {
  readonly #slots: (Slot<T> | undefined)[];
  readonly #isSame: (one: T, other: T) => boolean;
  /** Nothing from before it is taken. */
  minTime = 0;

  constructor(size: number, isSame: (one: T, other: T) => boolean) {
    this.#slots = Array.from({ length: size }, () => undefined);
    this.#isSame = isSame;
  }

  /** @returns whether it is new; what is older than the ring remembers is not */
  add(time: number, item: T, nowTime: number): boolean {
    const size = this.#slots.length;
    if (time < this.minTime || time + size <= nowTime) return false;
    const slot = this.#slots[time % size];
    if (slot === undefined || slot.time < time) {
      this.#slots[time % size] = { time, items: [item] };
      return true;
    }
    if (slot.time > time || slot.items.length >= MAX_ITEMS_PER_TIME || slot.items.some((seen) => this.#isSame(seen, item))) return false;
    slot.items.push(item);
    return true;
  }

  /** The oldest first. */
  items(): T[] {
    return this.#slots
      .filter((slot) => slot !== undefined)
      .toSorted((one, other) => one.time - other.time)
      .flatMap(({ items }) => items);
  }
}
