/** A peer that is further ahead than so many events is not believed: a clock at its end could never tick again. */
const MAX_JUMP = 2 ** 40;

/** Order without clocks (Lamport 1978): what was heard comes before what is said after it. */
export class LamportClock {
  #time = 0;

  get time(): number {
    return this.#time;
  }

  /** @returns the new time */
  tick(): number {
    return ++this.#time;
  }

  /** From now on this clock is ahead of `time`. */
  witness(time: number): void {
    if (time >= this.#time && time - this.#time <= MAX_JUMP) this.#time = time + 1;
  }
}
