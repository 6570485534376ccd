import type { Clock } from '@lictor/protocol';
import type { PartsBudget } from './assembler.ts';
import { Body } from './body.ts';
import { decodeSteps } from './decode-steps.ts';
import { encodeSteps } from './encode-steps.ts';
import { SliceQueue } from './slices.ts';

/** Encodes and decodes long values a slice each turn of the event loop, all of them in one queue. */
export class SlicedCodec {
  readonly #budget: PartsBudget;
  readonly #queue: SliceQueue;

  /** What is being decoded counts as not yet arrived. */
  constructor(budget: PartsBudget, clock: Clock) {
    this.#budget = budget;
    this.#queue = new SliceQueue(clock);
  }

  /** Rejects with LictorError `too-large`, or the signal's reason. */
  async encode(value: unknown, maxBytes: number, signal: AbortSignal): Promise<Body> {
    return new Body(await this.#queue.run(encodeSteps(value, maxBytes), signal));
  }

  /** Rejects with LictorError `invalid-argument`, or the signal's reason. */
  async decode(bytes: Uint8Array, signal?: AbortSignal): Promise<unknown> {
    const isCounted = this.#budget.take(bytes.length);
    try {
      return await this.#queue.run(decodeSteps(bytes), signal);
    } finally {
      if (isCounted) this.#budget.give(bytes.length);
    }
  }
}
