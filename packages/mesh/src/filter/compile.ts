import { compileRegex } from '../regex.ts';
import type { Expression, MatchExpression, MatchOperator } from './ast.ts';
import { coerce, type Primitive } from './coerce.ts';
import type { FieldType, FilterType } from './field-type.ts';
import { FilterError } from './filter-error.ts';
import { parseExpression } from './parse.ts';

export type Filter = (value: unknown) => boolean;

const EQUALITY: readonly MatchOperator[] = ['Equal', 'Not Equal'];
const MEMBERSHIP: readonly MatchOperator[] = ['In', 'Not In'];
const EMPTINESS: readonly MatchOperator[] = ['Is Empty', 'Is Not Empty'];
const PATTERN: readonly MatchOperator[] = ['Matches', 'Not Matches'];

/**
 * Compiles a filter expression against the kind of objects that it will see; callers keep the result as long as the expression lives.
 * Matching never throws. Callers prefix errors with `Failed to create boolean expression evaluator: `.
 * @throws FilterError
 */
export function compileFilter(expression: string, type: FilterType): Filter {
  return compileExpression(parseExpression(expression), type);
}

function compileExpression(expression: Expression, type: FilterType): Filter {
  switch (expression.kind) {
    case 'not': {
      const operand = compileExpression(expression.operand, type);
      return (value) => !operand(value);
    }
    case 'and': {
      const operands = expression.operands.map((operand) => compileExpression(operand, type));
      return (value) => operands.every((operand) => operand(value));
    }
    case 'or': {
      const operands = expression.operands.map((operand) => compileExpression(operand, type));
      return (value) => operands.some((operand) => operand(value));
    }
    default:
      return compileMatch(expression, type);
  }
}

function compileMatch(match: MatchExpression, type: FilterType): Filter {
  const target = findTarget(match.selector, type);
  const selector = match.selector.join('.');
  if (!operatorsOf(target).includes(match.operator)) {
    throw new FilterError(`Invalid match operator ${JSON.stringify(match.operator)} for selector ${JSON.stringify(selector)}`);
  }
  const test = compileTest(match, target, selector);
  return compileWalk(match.selector, 0, type, test, holdsWhenMissing(match.operator));
}

/** The type that a selector ends at. */
function findTarget(selector: readonly string[], type: FilterType): FieldType {
  let current: FieldType = type;
  for (const [index, step] of selector.entries()) {
    // Lists are looked through: a selector names the fields of their items.
    while (current.kind === 'list') current = current.item;
    const next: FieldType | undefined =
      current.kind === 'struct' ? ownField(current, step)?.type : current.kind === 'map' ? current.value : undefined;
    if (next === undefined) throw new FilterError(`Selector ${JSON.stringify(selector.slice(0, index + 1).join('.'))} is not valid`);
    current = next;
  }
  return current;
}

function ownField(type: FilterType, name: string): FilterType['fields'][string] | undefined {
  return Object.hasOwn(type.fields, name) ? type.fields[name] : undefined;
}

function operatorsOf(type: FieldType): readonly MatchOperator[] {
  switch (type.kind) {
    case 'string':
      return [...EQUALITY, ...MEMBERSHIP, ...PATTERN];
    case 'int':
    case 'float':
    case 'bool':
      return EQUALITY;
    case 'list':
      return type.item.kind === 'struct' || type.item.kind === 'map' || type.item.kind === 'list'
        ? EMPTINESS
        : [...EMPTINESS, ...MEMBERSHIP];
    case 'map':
      return [...EMPTINESS, ...MEMBERSHIP];
    default:
      return [];
  }
}

type Test = (value: unknown) => boolean;

function compileTest(match: MatchExpression, target: FieldType, selector: string): Test {
  const raw = match.value ?? '';
  const positive = compilePositiveTest(match.operator, target, raw, selector);
  return isNegative(match.operator) ? (value) => !positive(value) : positive;
}

function isNegative(operator: MatchOperator): boolean {
  return operator === 'Not Equal' || operator === 'Not In' || operator === 'Not Matches' || operator === 'Is Not Empty';
}

/** For a key that its map does not have: nothing equals it, nothing is in it, and it is empty. */
function holdsWhenMissing(operator: MatchOperator): boolean {
  return operator === 'Not Equal' || operator === 'Not In' || operator === 'Not Matches' || operator === 'Is Empty';
}

function compilePositiveTest(operator: MatchOperator, target: FieldType, raw: string, selector: string): Test {
  if (EMPTINESS.includes(operator)) return (value) => sizeOf(value) === 0;
  if (PATTERN.includes(operator)) return compilePattern(raw);
  if (EQUALITY.includes(operator)) {
    const kind = target.kind === 'int' || target.kind === 'bool' || target.kind === 'float' ? target.kind : 'string';
    const expected = coerce(raw, kind, selector);
    const zero = zeroOf(kind);
    return (value) => (value ?? zero) === expected;
  }
  if (target.kind === 'string') return (value) => typeof value === 'string' && value.includes(raw);
  if (target.kind === 'map') return (value) => typeof value === 'object' && value !== null && Object.hasOwn(value, raw);
  const itemKind =
    target.kind === 'list' && (target.item.kind === 'int' || target.item.kind === 'bool' || target.item.kind === 'float')
      ? target.item.kind
      : 'string';
  const expected = coerce(raw, itemKind, selector);
  return (value) => Array.isArray(value) && value.includes(expected);
}

function compilePattern(raw: string): Test {
  try {
    const regex = compileRegex(raw);
    return (value) => regex.matchesPart(typeof value === 'string' ? value : '');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new FilterError(`Failed to compile regular expression ${JSON.stringify(raw)}: ${reason}`);
  }
}

function zeroOf(kind: 'string' | 'int' | 'bool' | 'float'): Primitive {
  if (kind === 'string') return '';
  return kind === 'bool' ? false : 0;
}

function sizeOf(value: unknown): number {
  if (Array.isArray(value)) return value.length;
  return typeof value === 'object' && value !== null ? Object.keys(value).length : 0;
}

/**
 * Walks from the object to what the selector names. A list matches when any of its items does; a missing map key satisfies exactly the
 * negative operators and `is empty`.
 */
function compileWalk(selector: readonly string[], depth: number, type: FieldType, test: Test, missing: boolean): Test {
  const step = selector[depth];
  if (step === undefined) return test;
  if (type.kind === 'list') {
    const item = compileWalk(selector, depth, type.item, test, missing);
    return (value) => Array.isArray(value) && value.some(item);
  }
  if (type.kind === 'map') {
    const next = compileWalk(selector, depth + 1, type.value, test, missing);
    return (value) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, step) ? next((value as Record<string, unknown>)[step]) : missing;
  }
  const field = type.kind === 'struct' ? ownField(type, step) : undefined;
  if (field === undefined) throw new FilterError(`Selector ${JSON.stringify(selector.slice(0, depth + 1).join('.'))} is not valid`);
  const next = compileWalk(selector, depth + 1, field.type, test, missing);
  const { get } = field;
  return (value) => next(typeof value === 'object' && value !== null ? get(value as Readonly<Record<string, unknown>>) : undefined);
}
