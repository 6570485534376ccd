/** An encoded value: in one piece, or in pieces that are put together only as they are sent, so that long bytes are never copied whole. */
export class Body {
  readonly length: number;
  readonly #pieces: readonly Uint8Array[];

  constructor(pieces: readonly Uint8Array[]) {
    this.#pieces = pieces;
    this.length = pieces.reduce((sum, { length }) => sum + length, 0);
  }

  /** The bytes from `start` to before `end`. */
  slice(start: number, end: number): Uint8Array {
    const found: Uint8Array[] = [];
    let at = 0;
    for (const piece of this.#pieces) {
      const from = Math.max(0, start - at);
      const to = Math.min(piece.length, end - at);
      if (from < to) found.push(piece.subarray(from, to));
      at += piece.length;
    }
    const [first] = found;
    return found.length === 1 && first !== undefined ? first : Buffer.concat(found);
  }
}
