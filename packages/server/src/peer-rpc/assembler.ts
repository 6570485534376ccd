import { garbage, type FrameRecord } from './record.ts';

interface Parts {
  readonly kind: number;
  readonly limitBytes: number;
  parts: Uint8Array[];
  bytes: number;
  /** Too large: what still comes of it is let go. */
  isRefused: boolean;
}

/** A whole value, or why there is none: parts are missing, or it is larger than allowed. */
export type Assembly = Uint8Array | 'partial' | 'too-large';

/** Puts the parts of long values together again, and holds no more of them than it was told. */
export class Assembler {
  readonly #maxPartialBytes: number;
  readonly #maxPartials: number;
  readonly #partials = new Map<number, Parts>();
  #partialBytes = 0;

  constructor(maxPartialBytes: number, maxPartials: number) {
    this.#maxPartialBytes = maxPartialBytes;
    this.#maxPartials = maxPartials;
  }

  /** Of all values that have arrived in part. */
  get partialBytes(): number {
    return this.#partialBytes;
  }

  /**
   * `too-large` is said once for a value, and `partial` of what comes of it after that.
   * @param limitBytes Of the value that begins with this record.
   * @throws LictorError `invalid-argument` when it does not go with the parts before it
   */
  add(record: FrameRecord, limitBytes: (first: FrameRecord) => number): Assembly {
    const known = this.#partials.get(record.id);
    if (known !== undefined) return this.#continue(known, record);
    const limit = limitBytes(record);
    if (!record.hasMore) return record.body.length > limit ? 'too-large' : record.body;
    if (this.#partials.size >= this.#maxPartials) throw garbage('too many values in parts');
    const partial = { kind: record.kind, limitBytes: limit, parts: [], bytes: 0, isRefused: false };
    this.#partials.set(record.id, partial);
    return this.#continue(partial, record);
  }

  /** Whatever has come under this id, and has not been given out. */
  drop(id: number): void {
    const partial = this.#partials.get(id);
    if (partial === undefined) return;
    this.#partialBytes -= partial.bytes;
    this.#partials.delete(id);
  }

  clear(): void {
    this.#partials.clear();
    this.#partialBytes = 0;
  }

  #continue(partial: Parts, { kind, id, body, hasMore }: FrameRecord): Assembly {
    if (kind !== partial.kind) throw garbage('parts of different kinds');
    if (!hasMore) this.#partials.delete(id);
    if (partial.isRefused) return 'partial';
    const isTooLarge = partial.bytes + body.length > partial.limitBytes || this.#partialBytes + body.length > this.#maxPartialBytes;
    if (isTooLarge) {
      this.#partialBytes -= partial.bytes;
      partial.parts = [];
      partial.bytes = 0;
      partial.isRefused = true;
      return 'too-large';
    }
    partial.parts.push(body);
    if (!hasMore) {
      this.#partialBytes -= partial.bytes;
      return Buffer.concat(partial.parts);
    }
    partial.bytes += body.length;
    this.#partialBytes += body.length;
    return 'partial';
  }
}
