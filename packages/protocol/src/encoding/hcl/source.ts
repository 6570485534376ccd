import { HclError, type SourcePosition } from './hcl-error.ts';

/** Bounds on what a configuration text may cost (security.md 5.3: key counts and depth are capped). */
export const MAX_TEXT_LENGTH = 4 * 1024 * 1024;
export const MAX_DEPTH = 64;
export const MAX_KEYS = 200_000;

export interface ParseOptions {
  /** Named in errors. */
  readonly filename?: string;
}

/** The text being read, with its line table and the budgets that stop hostile input. */
export class Source {
  readonly text: string;
  readonly filename: string;
  #lineStarts: number[] | undefined;
  #keys = 0;

  /** @throws HclError when the text is over the cap */
  constructor(text: string, options: ParseOptions) {
    this.text = text;
    this.filename = options.filename ?? '';
    if (text.length > MAX_TEXT_LENGTH)
      throw new HclError(`text exceeds ${MAX_TEXT_LENGTH} characters`, { line: 1, column: 1 }, this.filename);
  }

  positionOf(offset: number): SourcePosition {
    this.#lineStarts ??= findLineStarts(this.text);
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (this.#lineStarts[low] ?? 0) + 1 };
  }

  errorAt(offset: number, reason: string): HclError {
    return new HclError(reason, this.positionOf(offset), this.filename);
  }

  /** @throws HclError when the text has more keys than `MAX_KEYS` */
  countKey(offset: number): void {
    this.#keys += 1;
    if (this.#keys > MAX_KEYS) throw this.errorAt(offset, `more than ${MAX_KEYS} keys`);
  }

  /** @throws HclError when values nest deeper than `MAX_DEPTH` */
  checkDepth(depth: number, offset: number): void {
    if (depth > MAX_DEPTH) throw this.errorAt(offset, `nested deeper than ${MAX_DEPTH} levels`);
  }
}

function findLineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}
