export interface SourcePosition {
  /** 1-based. */
  readonly line: number;
  /** 1-based, in UTF-16 units. */
  readonly column: number;
}

/** A configuration text (HCL or JSON) that cannot be read, with the place where reading stopped. */
export class HclError extends Error {
  override readonly name = 'HclError';
  /** Empty when the text did not come from a file. */
  readonly filename: string;
  readonly line: number;
  readonly column: number;
  /** What is wrong, without the place. */
  readonly reason: string;

  constructor(reason: string, position: SourcePosition, filename = '') {
    const file = filename === '' ? '' : `${filename}: `;
    super(`${file}At ${position.line}:${position.column}: ${reason}`);
    this.reason = reason;
    this.filename = filename;
    this.line = position.line;
    this.column = position.column;
  }
}
