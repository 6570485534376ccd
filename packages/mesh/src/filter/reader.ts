import { FilterError } from './filter-error.ts';

/**
 * Reads an expression for a parser that may backtrack. It remembers what was expected where reading got farthest: that is what Consul's
 * error texts say (`1:3 (2): no match found, expected: "!=", ".", …`).
 */
export class Reader {
  readonly text: string;
  position = 0;
  #farthest = 0;
  #expected = new Set<string>();
  #isInverted = false;

  constructor(text: string) {
    this.text = text;
  }

  literal(text: string): boolean {
    const start = this.position;
    const matches = this.text.startsWith(text, start);
    if (matches) this.position += text.length;
    this.#note(matches, start, JSON.stringify(text));
    return matches;
  }

  /** One character of a class; `label` is the class as the grammar spells it. */
  oneOf(pattern: RegExp, label: string): boolean {
    const start = this.position;
    const char = this.text[start];
    const matches = char !== undefined && pattern.test(char);
    if (matches) this.position += 1;
    this.#note(matches, start, label);
    return matches;
  }

  atEnd(): boolean {
    const isEnd = this.position >= this.text.length;
    if (!isEnd) this.#note(false, this.position, 'EOF');
    return isEnd;
  }

  /** Runs `parse` without consuming anything and without letting its failures count as expectations. */
  fails(parse: () => unknown): boolean {
    const start = this.position;
    const was = this.#isInverted;
    this.#isInverted = !was;
    const failed = parse() === undefined;
    this.#isInverted = was;
    this.position = start;
    return failed;
  }

  /** A problem with a cause of its own; `rule` is the part of the grammar that found it. */
  problem(rule: string, message: string): FilterError {
    return new FilterError(`${this.#describe(this.position)}: rule "${rule}": ${message}`);
  }

  noMatch(): FilterError {
    const isEndExpected = this.#expected.delete('EOF');
    const expected = [...this.#expected].toSorted(compareCodeUnits);
    if (isEndExpected) expected.push('EOF');
    const last = expected.pop() ?? '';
    const list = expected.length === 0 ? last : `${expected.join(', ')} or ${last}`;
    return new FilterError(`${this.#describe(this.#farthest)}: no match found, expected: ${list}`);
  }

  #note(matches: boolean, at: number, label: string): void {
    if (matches !== this.#isInverted || at < this.#farthest) return;
    if (at > this.#farthest) {
      this.#farthest = at;
      this.#expected = new Set();
    }
    this.#expected.add(this.#isInverted ? `!${label}` : label);
  }

  /** Line, column in characters, offset in bytes. */
  #describe(position: number): string {
    const before = this.text.slice(0, position);
    const lines = before.split('\n');
    const column = Array.from(lines.at(-1) ?? '').length + 1;
    return `${lines.length}:${column} (${Buffer.byteLength(before)})`;
  }
}

function compareCodeUnits(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
