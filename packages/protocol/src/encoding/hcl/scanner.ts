import type { Source } from './source.ts';
import { readHeredoc, readQuoted } from './strings.ts';

export type Token =
  | { readonly kind: 'identifier'; readonly offset: number; readonly text: string }
  | { readonly kind: 'string' | 'heredoc'; readonly offset: number; readonly text: string }
  | { readonly kind: 'number'; readonly offset: number; readonly value: number }
  | { readonly kind: 'boolean'; readonly offset: number; readonly value: boolean }
  | { readonly kind: 'punctuation'; readonly offset: number; readonly text: '{' | '}' | '[' | ']' | ',' | '=' }
  | { readonly kind: 'end'; readonly offset: number };

const SPACE = /[ \t\r\n]+/y;
const IDENTIFIER = /[\p{L}_][\p{L}\p{Nd}_.-]*/uy;
const HEX = /-?0[xX][0-9a-fA-F]+/y;
const NUMBER = /-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y;
const PUNCTUATION = '{}[],=';

/** HCL 1 tokens, one at a time. */
export class Scanner {
  readonly #source: Source;
  #at: number;

  constructor(source: Source) {
    this.#source = source;
    this.#at = source.text.startsWith('\uFEFF') ? 1 : 0;
  }

  /** @throws HclError */
  next(): Token {
    this.#skipSpaceAndComments();
    const { text } = this.#source;
    const offset = this.#at;
    const char = text[offset];
    if (char === undefined) return { kind: 'end', offset };
    if (PUNCTUATION.includes(char)) {
      this.#at += 1;
      return { kind: 'punctuation', offset, text: char as '{' };
    }
    if (char === '"') return { kind: 'string', offset, text: this.#take(readQuoted(this.#source, offset)) };
    if (text.startsWith('<<', offset)) return { kind: 'heredoc', offset, text: this.#take(readHeredoc(this.#source, offset)) };
    return this.#number(offset) ?? this.#word(offset);
  }

  #number(offset: number): Token | undefined {
    const match = matchAt(HEX, this.#source.text, offset) ?? matchAt(NUMBER, this.#source.text, offset);
    if (match === undefined) return undefined;
    this.#at = offset + match.length;
    const tail = matchAt(IDENTIFIER, this.#source.text, this.#at);
    if (tail !== undefined) throw this.#source.errorAt(offset, `malformed number ${JSON.stringify(match + tail)}`);
    return { kind: 'number', offset, value: parseNumber(match) };
  }

  #word(offset: number): Token {
    const word = matchAt(IDENTIFIER, this.#source.text, offset);
    if (word === undefined) throw this.#source.errorAt(offset, `illegal character ${JSON.stringify(this.#source.text[offset])}`);
    this.#at = offset + word.length;
    if (word === 'true' || word === 'false') return { kind: 'boolean', offset, value: word === 'true' };
    return { kind: 'identifier', offset, text: word };
  }

  #take(read: { readonly value: string; readonly end: number }): string {
    this.#at = read.end;
    return read.value;
  }

  #skipSpaceAndComments(): void {
    const { text } = this.#source;
    for (;;) {
      this.#at += matchAt(SPACE, text, this.#at)?.length ?? 0;
      if (text[this.#at] === '#' || text.startsWith('//', this.#at)) {
        const end = text.indexOf('\n', this.#at);
        this.#at = end === -1 ? text.length : end;
      } else if (text.startsWith('/*', this.#at)) {
        const end = text.indexOf('*/', this.#at + 2);
        if (end === -1) throw this.#source.errorAt(this.#at, 'comment not terminated');
        this.#at = end + 2;
      } else return;
    }
  }
}

function matchAt(pattern: RegExp, text: string, offset: number): string | undefined {
  pattern.lastIndex = offset;
  return pattern.exec(text)?.[0];
}

/** HCL 1 reads integers with Go's base prefixes: `0x1f`, and `017` as octal. */
function parseNumber(text: string): number {
  const negative = text.startsWith('-');
  const digits = negative ? text.slice(1) : text;
  const value = /^0[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number(digits);
  return negative ? -value : value;
}
