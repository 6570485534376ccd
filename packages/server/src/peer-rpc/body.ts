/** An encoded value in pieces that are put together only as they are sent, so that long bytes are never copied whole. */
export class Body {
  readonly length: number;
  readonly #pieces: readonly Uint8Array[];
  /** Where each piece begins. */
  readonly #starts: readonly number[];

  constructor(pieces: readonly Uint8Array[]) {
    this.#pieces = pieces;
    let length = 0;
    this.#starts = pieces.map((piece) => (length += piece.length) - piece.length);
    this.length = length;
  }

  /** The bytes from `start` to before `end`. */
  slice(start: number, end: number): Uint8Array {
    const found: Uint8Array[] = [];
    for (let position = this.#pieceAt(start); position < this.#pieces.length; position++) {
      const piece = this.#pieces[position];
      const at = this.#starts[position] ?? end;
      if (piece === undefined || at >= end) break;
      const part = piece.subarray(Math.max(0, start - at), Math.min(piece.length, end - at));
      if (part.length > 0) found.push(part);
    }
    const [first] = found;
    return found.length === 1 && first !== undefined ? first : Buffer.concat(found);
  }

  /** The last piece that begins at or before `offset`, found by halving. */
  #pieceAt(offset: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
