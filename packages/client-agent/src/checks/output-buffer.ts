/** Keeps the last `capacity` bytes written: a check's output is bounded however much its target sends (consul-facts T007). */
export class OutputBuffer {
  readonly #capacity: number;
  #chunks: Buffer[] = [];
  #held = 0;
  #total = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  write(chunk: Uint8Array): void {
    this.#total += chunk.length;
    const kept = Buffer.from(chunk.subarray(Math.max(0, chunk.length - this.#capacity)));
    this.#chunks.push(kept);
    this.#held += kept.length;
    // Compacting at twice the capacity bounds memory and keeps the work linear.
    if (this.#held > 2 * this.#capacity) this.#compact();
  }

  get totalBytes(): number {
    return this.#total;
  }

  toString(): string {
    this.#compact();
    return (this.#chunks[0] ?? Buffer.alloc(0)).toString('utf8');
  }

  /** As script checks show it: with a first line that tells of what was cut. */
  toCapturedText(): string {
    const text = this.toString();
    return this.#total > this.#capacity ? `Captured ${this.#capacity} of ${this.#total} bytes\n...\n${text}` : text;
  }

  #compact(): void {
    const all = Buffer.concat(this.#chunks);
    const kept = all.subarray(Math.max(0, all.length - this.#capacity));
    this.#chunks = [Buffer.from(kept)];
    this.#held = kept.length;
  }
}
