import type { Expression, MatchExpression, MatchOperator } from './ast.ts';
import { FilterError } from './filter-error.ts';
import { Reader } from './reader.ts';
import { parseSelector, parseValue, skipSpace, space } from './parse-value.ts';

/** An expression longer than this is refused unread. */
export const MAX_EXPRESSION_BYTES = 64 * 1024;
const MAX_NESTING = 64;

/** Operators between a selector and a value, in the order in which go-bexpr's grammar tries them. */
const SELECTOR_VALUE_OPERATORS: readonly (readonly [MatchOperator, readonly string[]])[] = [
  ['In', ['contains']],
  ['Not In', ['not', 'contains']],
  ['Matches', ['matches']],
  ['Not Matches', ['not', 'matches']],
];
const EMPTINESS_OPERATORS: readonly (readonly [MatchOperator, readonly string[]])[] = [
  ['Is Empty', ['is', 'empty']],
  ['Is Not Empty', ['is', 'not', 'empty']],
];
const VALUE_SELECTOR_OPERATORS: readonly (readonly [MatchOperator, readonly string[]])[] = [
  ['In', ['in']],
  ['Not In', ['not', 'in']],
];

/**
 * Parses go-bexpr's language: ordered choice with backtracking as in its grammar (so the same texts are accepted with the same meaning and
 * refused with the same words), results kept by position so that time stays linear.
 * @throws FilterError
 */
export function parseExpression(text: string): Expression {
  if (Buffer.byteLength(text) > MAX_EXPRESSION_BYTES) throw new FilterError(`expression exceeds ${MAX_EXPRESSION_BYTES} bytes`);
  return new ExpressionParser(new Reader(text)).parseInput();
}

interface Parsed {
  readonly expression: Expression | undefined;
  readonly end: number;
}

class ExpressionParser {
  readonly #reader: Reader;
  readonly #disjunctions = new Map<number, Parsed>();
  #nesting = 0;

  constructor(reader: Reader) {
    this.#reader = reader;
  }

  parseInput(): Expression {
    const reader = this.#reader;
    const isWhole = (): boolean => {
      skipSpace(reader);
      return reader.atEnd();
    };
    skipSpace(reader);
    const grouped = this.#parseGroup();
    if (grouped !== undefined && isWhole()) return grouped;
    reader.position = 0;
    skipSpace(reader);
    const expression = this.#parseOr();
    if (expression !== undefined && isWhole()) return expression;
    throw reader.noMatch();
  }

  #parseOr(): Expression | undefined {
    const start = this.#reader.position;
    const known = this.#disjunctions.get(start);
    if (known !== undefined) {
      this.#reader.position = known.end;
      return known.expression;
    }
    this.#nesting += 1;
    if (this.#nesting > MAX_NESTING) throw new FilterError(`expression is nested deeper than ${MAX_NESTING} levels`);
    const expression = this.#parseChain('or', () => this.#parseChain('and', () => this.#parseNot()));
    this.#nesting -= 1;
    this.#disjunctions.set(start, { expression, end: this.#reader.position });
    return expression;
  }

  /** One operand, or several joined by `word`. */
  #parseChain(word: 'and' | 'or', parseOperand: () => Expression | undefined): Expression | undefined {
    const first = parseOperand();
    if (first === undefined) return undefined;
    const operands = [first];
    for (;;) {
      const end = this.#reader.position;
      const next = this.#spacedWord(word) ? parseOperand() : undefined;
      if (next === undefined) {
        this.#reader.position = end;
        return operands.length === 1 ? first : { kind: word, operands };
      }
      operands.push(next);
    }
  }

  #parseNot(): Expression | undefined {
    let negations = 0;
    for (;;) {
      const start = this.#reader.position;
      if (!this.#reader.literal('not') || !space(this.#reader)) {
        this.#reader.position = start;
        break;
      }
      negations += 1;
    }
    const operand = this.#parseOperand();
    if (operand === undefined || negations % 2 === 0) return operand;
    return { kind: 'not', operand };
  }

  #parseOperand(): Expression | undefined {
    const start = this.#reader.position;
    const group = this.#parseGroup();
    if (group !== undefined) return group;
    this.#reader.position = start;
    const match = this.#parseMatch();
    if (match !== undefined) return match;
    this.#reader.position = start;
    this.#checkUnclosedGroup();
    this.#reader.position = start;
    return undefined;
  }

  #parseGroup(): Expression | undefined {
    if (!this.#reader.literal('(')) return undefined;
    skipSpace(this.#reader);
    const expression = this.#parseOr();
    if (expression === undefined) return undefined;
    skipSpace(this.#reader);
    return this.#reader.literal(')') ? expression : undefined;
  }

  #checkUnclosedGroup(): void {
    const reader = this.#reader;
    if (!reader.literal('(')) return;
    skipSpace(reader);
    if (this.#parseOr() === undefined) return;
    skipSpace(reader);
    if (reader.fails(() => (reader.literal(')') ? true : undefined))) throw reader.problem('grouping', 'Unmatched parentheses');
  }

  #parseMatch(): MatchExpression | undefined {
    const start = this.#reader.position;
    for (const parse of [() => this.#parseSelectorValue(), () => this.#parseEmptiness(), () => this.#parseValueSelector()]) {
      this.#reader.position = start;
      const match = parse();
      if (match !== undefined) return match;
    }
    this.#reader.position = start;
    this.#checkSelectorAfterIn();
    return undefined;
  }

  #parseSelectorValue(): MatchExpression | undefined {
    const selector = parseSelector(this.#reader);
    if (selector === undefined) return undefined;
    const operator =
      this.#comparison('==', 'Equal') ?? this.#comparison('!=', 'Not Equal') ?? this.#wordOperator(SELECTOR_VALUE_OPERATORS, true);
    if (operator === undefined) return undefined;
    const value = parseValue(this.#reader);
    return value === undefined ? undefined : { kind: 'match', selector, operator, value };
  }

  #parseEmptiness(): MatchExpression | undefined {
    const selector = parseSelector(this.#reader);
    if (selector === undefined) return undefined;
    const operator = this.#wordOperator(EMPTINESS_OPERATORS, false);
    return operator === undefined ? undefined : { kind: 'match', selector, operator };
  }

  #parseValueSelector(): MatchExpression | undefined {
    const value = parseValue(this.#reader);
    if (value === undefined) return undefined;
    const operator = this.#wordOperator(VALUE_SELECTOR_OPERATORS, true);
    if (operator === undefined) return undefined;
    const selector = parseSelector(this.#reader);
    return selector === undefined ? undefined : { kind: 'match', selector, operator, value };
  }

  #checkSelectorAfterIn(): void {
    if (parseValue(this.#reader) === undefined || this.#wordOperator(VALUE_SELECTOR_OPERATORS, true) === undefined) return;
    if (this.#reader.fails(() => parseSelector(this.#reader))) throw this.#reader.problem('match', 'Invalid selector');
  }

  #comparison(sign: string, operator: MatchOperator): MatchOperator | undefined {
    const start = this.#reader.position;
    skipSpace(this.#reader);
    if (this.#reader.literal(sign)) {
      skipSpace(this.#reader);
      return operator;
    }
    this.#reader.position = start;
    return undefined;
  }

  #wordOperator(operators: readonly (readonly [MatchOperator, readonly string[]])[], endsInSpace: boolean): MatchOperator | undefined {
    const start = this.#reader.position;
    for (const [operator, words] of operators) {
      this.#reader.position = start;
      if (words.every((word) => space(this.#reader) && this.#reader.literal(word)) && (!endsInSpace || space(this.#reader)))
        return operator;
    }
    this.#reader.position = start;
    return undefined;
  }

  #spacedWord(word: string): boolean {
    return space(this.#reader) && this.#reader.literal(word) && space(this.#reader);
  }
}
