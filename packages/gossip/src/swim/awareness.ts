/**
 * A member's opinion of its own health (Lifeguard IV-A): one that is slow itself takes others for dead. Failed probes, acks that even the relays
 * had no word of, and having to refute make it worse; answered probes make it better. Timeouts grow with it.
 */
export class Awareness {
  readonly #max: number;
  #score = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** 0: well. */
  get score(): number {
    return this.#score;
  }

  /** @returns whether the score is another one now */
  add(delta: number): boolean {
    const before = this.#score;
    this.#score = Math.min(Math.max(0, this.#max - 1), Math.max(0, before + delta));
    return this.#score !== before;
  }

  scale(timeoutMs: number): number {
    return timeoutMs * (this.#score + 1);
  }
}
