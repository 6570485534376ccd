export interface SuspicionOptions {
  /** Who suspects first. */
  readonly from: string;
  /** Confirmations by others after which the shortest time is enough; 0: at once. */
  readonly expected: number;
  readonly minMs: number;
  readonly maxMs: number;
  readonly nowMs: number;
}

/**
 * How long a suspect may live (Lifeguard IV-B): long while one member alone suspects it, which may be that one's fault, and shorter with each
 * other that does.
 */
export class Suspicion {
  readonly expected: number;
  readonly #minMs: number;
  readonly #maxMs: number;
  readonly #startedMs: number;
  readonly #confirmedBy: Set<string>;

  constructor({ from, expected, minMs, maxMs, nowMs }: SuspicionOptions) {
    this.expected = expected;
    this.#minMs = minMs;
    this.#maxMs = maxMs;
    this.#startedMs = nowMs;
    this.#confirmedBy = new Set([from]);
  }

  /** By others than the first. */
  get confirmations(): number {
    return this.#confirmedBy.size - 1;
  }

  get deadlineMs(): number {
    return this.#startedMs + timeoutMs(this.confirmations, this.expected, this.#minMs, this.#maxMs);
  }

  /** @returns whether it is news, and worth telling on: each of the expected ones once, however often they repeat it */
  confirm(from: string): boolean {
    if (this.confirmations >= this.expected || this.#confirmedBy.has(from)) return false;
    this.#confirmedBy.add(from);
    return true;
  }
}

/** max - (max - min) x log(C+1) / log(K+1), and never below min (Lifeguard IV-B). */
export function timeoutMs(confirmations: number, expected: number, minMs: number, maxMs: number): number {
  if (expected < 1) return minMs;
  const share = Math.log(confirmations + 1) / Math.log(expected + 1);
  return Math.max(minMs, maxMs - share * (maxMs - minMs));
}
