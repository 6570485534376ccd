type Detail = string | number | boolean | undefined;

interface Note {
  readonly atMs: number;
  readonly what: string;
  readonly details: readonly Detail[];
}

const KEPT = 4000;
const PRIME = 0x01000193;

/** What happened, as a hash of everything and the last of it for people to read. */
export class Trace {
  readonly #notes: Note[] = [];
  readonly #number = new Float64Array(1);
  readonly #words = new Uint32Array(this.#number.buffer);
  #next = 0;
  #hash = 0x811c9dc5;
  readonly print: ((line: string) => void) | undefined;

  constructor(print?: (line: string) => void) {
    this.print = print;
  }

  note(atMs: number, what: string, ...details: readonly Detail[]): void {
    const note = { atMs, what, details };
    this.#notes[this.#next++ % KEPT] = note;
    this.#mixText(what);
    for (const detail of details) {
      if (typeof detail === 'number') this.mix(detail);
      else this.#mixText(String(detail));
    }
    this.print?.(lineOf(note));
  }

  mix(value: number): void {
    this.#number[0] = value;
    this.#hash = Math.imul(Math.imul(this.#hash ^ (this.#words[0] ?? 0), PRIME) ^ (this.#words[1] ?? 0), PRIME);
  }

  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0');
  }

  /** The newest last. */
  last(count: number): readonly string[] {
    const from = Math.max(0, this.#next - Math.min(count, KEPT));
    return Array.from({ length: this.#next - from }, (_, position) => this.#notes[(from + position) % KEPT])
      .filter((note) => note !== undefined)
      .map(lineOf);
  }

  #mixText(text: string): void {
    for (let position = 0; position < text.length; position++) this.#hash = Math.imul(this.#hash ^ text.charCodeAt(position), PRIME);
  }
}

function lineOf({ atMs, what, details }: Note): string {
  return `${(atMs / 1000).toFixed(4).padStart(9)} ${what} ${details.map(String).join(' ')}`;
}
