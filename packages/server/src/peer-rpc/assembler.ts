import { type FrameRecord, garbage } from './record.ts';

/** How much may be held of values that have arrived in part, by everybody who shares it. */
export class PartsBudget {
  readonly #maxBytes: number;
  #usedBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  take(bytes: number): boolean {
    if (this.#usedBytes + bytes > this.#maxBytes) return false;
    this.#usedBytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#usedBytes -= bytes;
  }
}

interface Unfinished {
  readonly kind: number;
  readonly value: Buffer;
  filledBytes: number;
}

/** A whole value, or why there is none: parts are missing, or it is larger than allowed. */
export type Assembly = Uint8Array | 'partial' | 'too-large';

/** Puts the parts of long values together again as they come. */
export class Assembler {
  readonly #budget: PartsBudget;
  readonly #maxUnfinished: number;
  readonly #unfinished = new Map<number, Unfinished>();

  constructor(budget: PartsBudget, maxUnfinished: number) {
    this.#budget = budget;
    this.#maxUnfinished = maxUnfinished;
  }

  /**
   * `too-large` is said once for a value; what still comes of it is let go.
   * @param limitBytes Of the value that begins with this record.
   * @throws LictorError `invalid-argument` when it does not go with the parts before it
   */
  add(record: FrameRecord, limitBytes: (beginning: FrameRecord) => number): Assembly {
    const { part, id, body } = record;
    if (part === 'middle' || part === 'last') return this.#continue(record);
    if (this.#unfinished.has(id)) throw garbage('a value within another');
    if (record.valueBytes > limitBytes(record)) return 'too-large';
    return part === 'whole' ? body : this.#begin(record);
  }

  /** Whatever has come under this id, and has not been given out. */
  drop(id: number): void {
    const unfinished = this.#unfinished.get(id);
    if (unfinished === undefined) return;
    this.#unfinished.delete(id);
    this.#budget.give(unfinished.value.length);
  }

  clear(): void {
    for (const id of this.#unfinished.keys()) this.drop(id);
  }

  #begin(record: FrameRecord): Assembly {
    const { id, kind, valueBytes } = record;
    if (this.#unfinished.size >= this.#maxUnfinished || !this.#budget.take(valueBytes)) return 'too-large';
    // The system gives the pages as they are filled: who says much and sends little takes little.
    const unfinished = { kind, value: Buffer.allocUnsafeSlow(valueBytes), filledBytes: 0 };
    this.#unfinished.set(id, unfinished);
    this.#fill(unfinished, record);
    return 'partial';
  }

  #continue(record: FrameRecord): Assembly {
    const unfinished = this.#unfinished.get(record.id);
    // Of a value that was refused, or of a call that was given up.
    if (unfinished === undefined) return 'partial';
    this.#fill(unfinished, record);
    if (record.part === 'middle') return 'partial';
    if (unfinished.filledBytes !== unfinished.value.length) throw garbage('a value that is shorter than it said');
    this.drop(record.id);
    return unfinished.value;
  }

  #fill(unfinished: Unfinished, { kind, body }: FrameRecord): void {
    if (kind !== unfinished.kind) throw garbage('parts of different kinds');
    if (unfinished.filledBytes + body.length > unfinished.value.length) throw garbage('a value that is longer than it said');
    unfinished.value.set(body, unfinished.filledBytes);
    unfinished.filledBytes += body.length;
  }
}
