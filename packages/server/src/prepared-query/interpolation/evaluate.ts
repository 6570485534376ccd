import type { BinaryOperator, Expression, Value } from './ast.ts';

export interface Scope {
  readonly variables: ReadonlyMap<string, string>;
  readonly functions: ReadonlyMap<string, (index: number) => string>;
}

/** Whether every name is known, also in the branches that are not taken. @throws Error */
export function checkNames(expression: Expression, scope: Scope): void {
  if (expression.kind === 'variable' && !scope.variables.has(expression.name)) {
    throw new Error(`${expression.position}: unknown variable accessed: ${expression.name}`);
  }
  if (expression.kind === 'call') {
    const { name, position, parameters } = expression;
    if (!scope.functions.has(name)) throw new Error(`${position}: unknown function called: ${name}`);
    if (parameters.length !== 1) throw new Error(`${position}: ${name}: expected 1 arguments, got ${parameters.length}`);
  }
  for (const part of partsOf(expression)) checkNames(part, scope);
}

function partsOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case 'literal':
    case 'variable':
      return [];
    case 'concatenation':
      return expression.parts;
    case 'call':
      return expression.parameters;
    case 'not':
      return [expression.operand];
    case 'binary':
      return [expression.left, expression.right];
    case 'choice':
      return [expression.condition, expression.yes, expression.no];
  }
}

/** The text that comes of it. @throws Error for a number that is none, and a division by zero */
export function evaluateText(expression: Expression, scope: Scope): string {
  return String(evaluate(expression, scope));
}

function evaluate(expression: Expression, scope: Scope): Value {
  switch (expression.kind) {
    case 'literal':
      return expression.value;
    case 'concatenation':
      return expression.parts.map((part) => evaluateText(part, scope)).join('');
    case 'variable':
      return scope.variables.get(expression.name) ?? '';
    case 'call': {
      const [index = { kind: 'literal', value: 0 } as const] = expression.parameters;
      return scope.functions.get(expression.name)?.(toInteger(evaluate(index, scope))) ?? '';
    }
    case 'not':
      return !toBoolean(evaluate(expression.operand, scope));
    case 'choice':
      return evaluate(toBoolean(evaluate(expression.condition, scope)) ? expression.yes : expression.no, scope);
    case 'binary': {
      const { operator, left, right } = expression;
      if (operator === '||' || operator === '&&') return evaluateLogical(operator, left, right, scope);
      return calculate(operator, evaluate(left, scope), evaluate(right, scope));
    }
  }
}

/** Both sides, as the original does: a bad number on the right is an error whatever the left says. */
function evaluateLogical(operator: '||' | '&&', left: Expression, right: Expression, scope: Scope): boolean {
  const sides = [toBoolean(evaluate(left, scope)), toBoolean(evaluate(right, scope))] as const;
  return operator === '||' ? sides[0] || sides[1] : sides[0] && sides[1];
}

function calculate(operator: Exclude<BinaryOperator, '||' | '&&'>, left: Value, right: Value): Value {
  if (operator === '==') return String(left) === String(right);
  if (operator === '!=') return String(left) !== String(right);
  const [a, b] = [toInteger(left), toInteger(right)];
  switch (operator) {
    case '<':
      return a < b;
    case '>':
      return a > b;
    case '<=':
      return a <= b;
    case '>=':
      return a >= b;
    case '+':
      return inRange(a + b);
    case '-':
      return inRange(a - b);
    case '*':
      return inRange(a * b);
    case '/':
    case '%':
      if (b === 0) throw new Error('divide by zero');
      return inRange(operator === '/' ? Math.trunc(a / b) : a % b);
  }
}

/** No -0 either, which would print as 0 but compare as what nobody wrote. */
function inRange(number: number): number {
  if (!Number.isSafeInteger(number)) throw new Error('number out of range');
  return number + 0;
}

function toInteger(value: Value): number {
  if (typeof value === 'number') return value;
  const number = typeof value === 'string' && /^[+-]?\d+$/.test(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(number))
    throw new Error(`__builtin_StringToInt: strconv.ParseInt: parsing ${JSON.stringify(String(value))}: invalid syntax`);
  return number;
}

function toBoolean(value: Value): boolean {
  if (typeof value === 'boolean') return value;
  if (value === 'true' || value === '1' || value === 1) return true;
  if (value === 'false' || value === '0' || value === 0) return false;
  throw new Error(`__builtin_StringToBool: strconv.ParseBool: parsing ${JSON.stringify(String(value))}: invalid syntax`);
}
