import { type BinaryOperator, type Expression, OPERATORS } from './ast.ts';

const MAX_DEPTH = 32;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', '"': '"', '\\': '\\' };

/**
 * Reads a text with `${…}` in it; `$${` stands for `${` itself. Of HashiCorp's language it knows texts, integers, booleans, variables, calls,
 * arithmetic, comparison and choice; there is nothing here that fractions, lists or maps would be good for.
 * @throws Error
 */
export function parseInterpolation(text: string): Expression {
  return new Parser(text).all();
}

class Parser {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  all(): Expression {
    return this.#concatenation('');
  }

  /** Up to `end`, which is a quote or the text's end. */
  #concatenation(end: '' | '"'): Expression {
    const parts: Expression[] = [];
    let literal = '';
    const flush = (): void => {
      if (literal !== '') parts.push({ kind: 'literal', value: literal });
      literal = '';
    };
    while (this.#at < this.#text.length && (end === '' || this.#text[this.#at] !== end)) {
      if (this.#take('$${')) literal += '${';
      else if (this.#take('${')) {
        flush();
        parts.push(this.#braced());
      } else literal += end === '' ? this.#text[this.#at++] : this.#character();
    }
    flush();
    return { kind: 'concatenation', parts };
  }

  #character(): string {
    const character = this.#text[this.#at++] ?? '';
    if (character !== '\\') return character;
    const escaped = ESCAPES[this.#text[this.#at] ?? ''];
    if (escaped === undefined) throw this.#error('invalid escape sequence');
    this.#at++;
    return escaped;
  }

  #braced(): Expression {
    const expression = this.#choice();
    if (!this.#takeWord('}')) throw this.#error(`expected "}" but found ${this.#found()}`);
    return expression;
  }

  #choice(): Expression {
    // Whoever writes a query decides how deep it is.
    if (++this.#depth > MAX_DEPTH) throw this.#error('expression is nested too deeply');
    const condition = this.#binary(0);
    let expression = condition;
    if (this.#takeWord('?')) {
      const yes = this.#choice();
      if (!this.#takeWord(':')) throw this.#error(`expected ":" but found ${this.#found()}`);
      expression = { kind: 'choice', condition, yes, no: this.#choice() };
    }
    this.#depth--;
    return expression;
  }

  #binary(level: number): Expression {
    const operators = OPERATORS[level];
    if (operators === undefined) return this.#unary();
    let left = this.#binary(level + 1);
    for (let operator = this.#operator(operators); operator !== undefined; operator = this.#operator(operators)) {
      left = { kind: 'binary', operator, left, right: this.#binary(level + 1) };
    }
    return left;
  }

  #operator(operators: readonly BinaryOperator[]): BinaryOperator | undefined {
    return operators.find((operator) => this.#takeWord(operator));
  }

  #unary(): Expression {
    if (++this.#depth > MAX_DEPTH) throw this.#error('expression is nested too deeply');
    const expression = this.#signed();
    this.#depth--;
    return expression;
  }

  #signed(): Expression {
    if (this.#takeWord('-')) return { kind: 'binary', operator: '-', left: { kind: 'literal', value: 0 }, right: this.#unary() };
    if (this.#takeWord('!')) return { kind: 'not', operand: this.#unary() };
    if (this.#takeWord('(')) {
      const inner = this.#choice();
      if (!this.#takeWord(')')) throw this.#error(`expected ")" but found ${this.#found()}`);
      return inner;
    }
    return this.#term();
  }

  #term(): Expression {
    this.#skipSpace();
    const position = this.#position();
    if (this.#take('"')) {
      const quoted = this.#concatenation('"');
      if (!this.#take('"')) throw this.#error('unterminated string');
      return quoted;
    }
    const digits = this.#match(/\d+/y);
    if (digits !== undefined) {
      if (this.#text[this.#at] === '.' || !Number.isSafeInteger(Number(digits))) throw this.#error('only whole numbers are supported');
      return { kind: 'literal', value: Number(digits) };
    }
    const name = this.#match(/[A-Za-z_][\w.-]*/y);
    if (name === undefined) throw this.#error(`expected expression but found ${this.#found()}`);
    if (name === 'true' || name === 'false') return { kind: 'literal', value: name === 'true' };
    return this.#takeWord('(') ? { kind: 'call', name, parameters: this.#parameters(), position } : { kind: 'variable', name, position };
  }

  #parameters(): Expression[] {
    const parameters: Expression[] = [];
    if (this.#takeWord(')')) return parameters;
    do parameters.push(this.#choice());
    while (this.#takeWord(','));
    if (!this.#takeWord(')')) throw this.#error(`expected ")" but found ${this.#found()}`);
    return parameters;
  }

  #takeWord(word: string): boolean {
    this.#skipSpace();
    return this.#take(word);
  }

  #take(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #skipSpace(): void {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at++;
  }

  #found(): string {
    const next = this.#text[this.#at];
    return next === undefined ? 'end of string' : JSON.stringify(next);
  }

  #position(): string {
    const before = this.#text.slice(0, this.#at).split('\n');
    return `${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
  }

  #error(message: string): Error {
    return new Error(`parse error at ${this.#position()}: ${message}`);
  }
}
