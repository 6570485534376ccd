/** How many waiting requests are answered before the event loop gets its turn: a few milliseconds of work. */
const PER_TURN = 64;

/**
 * A change can wake thousands of blocked requests in one moment. They are answered in portions, so that the loop is never held for long
 * and whatever else comes in meanwhile is served in between (design.md section 3, "the loop is sacred").
 */
export class Pacer {
  readonly #defer: (callback: () => void) => void;
  readonly #queue: (() => void)[] = [];
  #passed = 0;
  #isDeferred = false;

  constructor(defer: (callback: () => void) => void = setImmediate) {
    this.#defer = defer;
  }

  /** Undefined when the caller may go on at once. */
  turn(): Promise<void> | undefined {
    this.#deferOnce();
    if (this.#passed < PER_TURN && this.#queue.length === 0) {
      this.#passed++;
      return undefined;
    }
    return new Promise((resolve) => this.#queue.push(resolve));
  }

  #deferOnce(): void {
    if (this.#isDeferred) return;
    this.#isDeferred = true;
    this.#defer(() => this.#nextTurn());
  }

  #nextTurn(): void {
    this.#isDeferred = false;
    const portion = this.#queue.splice(0, PER_TURN);
    this.#passed = portion.length;
    if (portion.length > 0) this.#deferOnce();
    for (const release of portion) release();
  }
}
