/**
 * Why Go's encoding/json would refuse a text, in its words: clients and their tests compare them. Only run on texts that JSON.parse has
 * refused already, so it favours being small over being fast.
 */
export function goJsonError(text: string): string {
  const scanner = new Scanner(text);
  try {
    scanner.skipSpace();
    if (scanner.atEnd) return 'EOF';
    scanner.value();
    scanner.skipSpace();
    return scanner.atEnd ? 'unexpected EOF' : scanner.invalid('after top-level value').message;
  } catch (error) {
    if (error instanceof ScanError) return error.message;
    throw error;
  }
}

class ScanError extends Error {}

const SPACE = ' \t\r\n';
/** Go's own nesting limit. */
const MAX_DEPTH = 10_000;

class Scanner {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get atEnd(): boolean {
    return this.#position >= this.#text.length;
  }

  skipSpace(): void {
    while (!this.atEnd && SPACE.includes(this.#peek())) this.#position++;
  }

  invalid(context: string): ScanError {
    if (this.atEnd) return new ScanError('unexpected EOF');
    return new ScanError(`invalid character ${quoteCharacter(this.#peek())} ${context}`);
  }

  /** Iterative, so that nesting cannot exhaust the stack. */
  value(): void {
    const closers: string[] = [];
    for (;;) {
      if (closers.length > MAX_DEPTH) throw new ScanError('exceeded max depth');
      this.skipSpace();
      const opened = this.#scalarOrOpen();
      if (opened !== undefined) {
        closers.push(opened);
        this.skipSpace();
        if (!this.atEnd && this.#peek() === opened) this.#position++;
        else {
          if (opened === '}') this.#key();
          continue;
        }
        closers.pop();
      }
      if (!this.#closeAndAdvance(closers)) return;
    }
  }

  /** After a value: closes what ends here. True when another value follows. */
  #closeAndAdvance(closers: string[]): boolean {
    for (let closer = closers.at(-1); closer !== undefined; closer = closers.at(-1)) {
      this.skipSpace();
      const context = closer === '}' ? 'after object key:value pair' : 'after array element';
      if (this.atEnd) throw this.invalid(context);
      const character = this.#peek();
      if (character === ',') {
        this.#position++;
        if (closer === '}') this.#key();
        return true;
      }
      if (character !== closer) throw this.invalid(context);
      this.#position++;
      closers.pop();
    }
    return false;
  }

  #key(): void {
    this.skipSpace();
    if (this.atEnd || this.#peek() !== '"') throw this.invalid('looking for beginning of object key string');
    this.#string();
    this.skipSpace();
    if (this.atEnd || this.#peek() !== ':') throw this.invalid('after object key');
    this.#position++;
  }

  /** The closing character when a list or object was opened. */
  #scalarOrOpen(): string | undefined {
    const character = this.atEnd ? '' : this.#peek();
    if (character === '{' || character === '[') {
      this.#position++;
      return character === '{' ? '}' : ']';
    }
    if (character === '"') this.#string();
    else if (character === 't') this.#literal('true');
    else if (character === 'f') this.#literal('false');
    else if (character === 'n') this.#literal('null');
    else if (character === '-' || isDigit(character)) this.#number();
    else throw this.invalid('looking for beginning of value');
    return undefined;
  }

  #literal(word: string): void {
    for (let index = 0; index < word.length; index++) {
      const expected = word.charAt(index);
      if (this.atEnd || this.#peek() !== expected) throw this.invalid(`in literal ${word} (expecting '${expected}')`);
      this.#position++;
    }
  }

  #string(): void {
    this.#position++;
    for (;;) {
      if (this.atEnd) throw this.invalid('');
      const character = this.#peek();
      if (character < ' ') throw this.invalid('in string literal');
      this.#position++;
      if (character === '"') return;
      if (character === '\\') this.#escape();
    }
  }

  #escape(): void {
    if (this.atEnd || !'"\\/bfnrtu'.includes(this.#peek())) throw this.invalid('in string escape code');
    const isUnicode = this.#peek() === 'u';
    this.#position++;
    if (!isUnicode) return;
    for (let digit = 0; digit < 4; digit++) {
      if (this.atEnd || !/[0-9a-fA-F]/.test(this.#peek())) throw this.invalid('in \\u hexadecimal character escape');
      this.#position++;
    }
  }

  #number(): void {
    if (this.#peek() === '-') this.#position++;
    if (!this.atEnd && this.#peek() === '0') this.#position++;
    else this.#digits('in numeric literal');
    if (!this.atEnd && this.#peek() === '.') {
      this.#position++;
      this.#digits('after decimal point in numeric literal');
    }
    if (!this.atEnd && (this.#peek() === 'e' || this.#peek() === 'E')) {
      this.#position++;
      if (!this.atEnd && (this.#peek() === '+' || this.#peek() === '-')) this.#position++;
      this.#digits('in exponent of numeric literal');
    }
  }

  #digits(context: string): void {
    if (this.atEnd || !isDigit(this.#peek())) throw this.invalid(context);
    while (!this.atEnd && isDigit(this.#peek())) this.#position++;
  }

  #peek(): string {
    return this.#text.charAt(this.#position);
  }
}

function isDigit(character: string): boolean {
  return character >= '0' && character <= '9';
}

/** Go's `quoteChar`: single quotes, control characters escaped. */
function quoteCharacter(character: string): string {
  if (character === "'") return `'\\''`;
  if (character === '"') return `'"'`;
  const quoted = JSON.stringify(character);
  return `'${quoted.slice(1, -1)}'`;
}
