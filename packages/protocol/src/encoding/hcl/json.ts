import { createDocument, type HclDocument, Positions } from './document.ts';
import { type ParseOptions, Source } from './source.ts';

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const SPACE = /[ \t\r\n]*/y;
const LITERALS: ReadonlyMap<string, unknown> = new Map([
  ['true', true],
  ['false', false],
  ['null', null],
]);
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);

/**
 * JSON (RFC 8259) with the place of every value, for configuration files: unlike JSON.parse it refuses duplicate keys, which two readers
 * may resolve differently, and answers null-prototype objects.
 * @throws HclError with line and column
 */
export function parseJsonWithPositions(text: string, options: ParseOptions = {}): HclDocument {
  const parser = new JsonParser(new Source(text.startsWith('\uFEFF') ? text.slice(1) : text, options));
  return parser.parseDocument();
}

class JsonParser {
  readonly #source: Source;
  readonly #positions = new Positions();
  #at = 0;

  constructor(source: Source) {
    this.#source = source;
  }

  parseDocument(): HclDocument {
    this.#skipSpace();
    const start = this.#at;
    const value = this.#parseValue(0);
    this.#skipSpace();
    if (this.#at < this.#source.text.length) throw this.#unexpected('after top-level value');
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw this.#source.errorAt(start, 'expected an object at the top level');
    return createDocument(this.#source, value as Record<string, unknown>, this.#positions);
  }

  #parseValue(depth: number): unknown {
    this.#source.checkDepth(depth, this.#at);
    const { text } = this.#source;
    const start = text[this.#at];
    if (start === '{') return this.#parseObject(depth);
    if (start === '[') return this.#parseList(depth);
    if (start === '"') return this.#parseString();
    for (const [word, value] of LITERALS) {
      if (!text.startsWith(word, this.#at)) continue;
      this.#at += word.length;
      return value;
    }
    NUMBER.lastIndex = this.#at;
    const number = NUMBER.exec(text);
    if (number === null) throw this.#unexpected('looking for beginning of value');
    this.#at = NUMBER.lastIndex;
    return Number(number[0]);
  }

  #parseObject(depth: number): Record<string, unknown> {
    const out = Object.create(null) as Record<string, unknown>;
    this.#at += 1;
    this.#skipSpace();
    if (this.#take('}')) return out;
    for (;;) {
      this.#skipSpace();
      const keyAt = this.#at;
      if (this.#source.text[keyAt] !== '"') throw this.#unexpected('looking for beginning of object key string');
      const key = this.#parseString();
      this.#source.countKey(keyAt);
      if (key in out) throw this.#source.errorAt(keyAt, `duplicate key ${JSON.stringify(key)}`);
      this.#skipSpace();
      if (!this.#take(':')) throw this.#unexpected('after object key');
      this.#skipSpace();
      this.#positions.record(out, key, keyAt);
      out[key] = this.#parseValue(depth + 1);
      this.#skipSpace();
      if (this.#take('}')) return out;
      if (!this.#take(',')) throw this.#unexpected('after object key:value pair');
    }
  }

  #parseList(depth: number): unknown[] {
    const out: unknown[] = [];
    this.#at += 1;
    this.#skipSpace();
    if (this.#take(']')) return out;
    for (;;) {
      this.#skipSpace();
      this.#source.countKey(this.#at);
      this.#positions.record(out, out.length, this.#at);
      out.push(this.#parseValue(depth + 1));
      this.#skipSpace();
      if (this.#take(']')) return out;
      if (!this.#take(',')) throw this.#unexpected('after array element');
    }
  }

  #parseString(): string {
    const { text } = this.#source;
    this.#at += 1;
    let from = this.#at;
    const parts: string[] = [];
    for (;;) {
      const char = text.charCodeAt(this.#at);
      if (Number.isNaN(char)) throw this.#unexpected('in string literal');
      if (char === 0x22) {
        parts.push(text.slice(from, this.#at));
        this.#at += 1;
        return parts.length === 1 ? (parts[0] ?? '') : parts.join('');
      }
      if (char < 0x20) throw this.#unexpected('in string literal');
      if (char !== 0x5c) {
        this.#at += 1;
        continue;
      }
      parts.push(text.slice(from, this.#at), this.#parseEscape());
      from = this.#at;
    }
  }

  #parseEscape(): string {
    const { text } = this.#source;
    const letter = text[this.#at + 1] ?? '';
    const simple = ESCAPES.get(letter);
    if (simple !== undefined) {
      this.#at += 2;
      return simple;
    }
    const digits = text.slice(this.#at + 2, this.#at + 6);
    if (letter !== 'u' || !/^[0-9a-fA-F]{4}$/.test(digits)) throw this.#unexpected('in string escape code');
    this.#at += 6;
    return String.fromCharCode(Number.parseInt(digits, 16));
  }

  #take(char: string): boolean {
    if (this.#source.text[this.#at] !== char) return false;
    this.#at += 1;
    return true;
  }

  #skipSpace(): void {
    SPACE.lastIndex = this.#at;
    SPACE.exec(this.#source.text);
    this.#at = SPACE.lastIndex;
  }

  #unexpected(where: string): Error {
    const char = this.#source.text[this.#at];
    if (char === undefined) return this.#source.errorAt(this.#at, 'unexpected end of JSON input');
    return this.#source.errorAt(this.#at, `invalid character ${JSON.stringify(char)} ${where}`);
  }
}
