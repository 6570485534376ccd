import type { Answer, Call, Operation } from '../operation.ts';

/** Small enough to be below any gap between indexes that were seen. */
const HIDDEN_STEP = 1 / 1024;

interface Register {
  readonly value: string | undefined;
  readonly index: number;
  /** The greatest index so far, also of a key that is gone. */
  readonly last: number;
}

/**
 * The naive twin of `checkKey`: every order of the operations that real time allows, every subset of the unknown ones, every choice of
 * ModifyIndex (one that somebody saw, or a hidden one). For a handful of operations.
 */
export function naiveCheckKey(operations: readonly Operation[]): boolean {
  const told = operations.filter(({ outcome }) => outcome.status !== 'failed');
  const seenIndexes = [...new Set(told.flatMap(indexesIn))];
  const dead = new Set<string>();
  return search(told);

  function search(left: readonly Operation[], register: Register = EMPTY): boolean {
    if (left.every(({ outcome }) => outcome.status === 'unknown')) return true;
    const place = JSON.stringify([left.map((operation) => told.indexOf(operation)), register]);
    if (dead.has(place)) return false;
    const firstReturnMs = Math.min(...left.map(({ outcome }) => (outcome.status === 'ok' ? outcome.returnMs : Number.POSITIVE_INFINITY)));
    const found = left.some((operation) => {
      if (operation.callMs > firstReturnMs) return false;
      const answer = operation.outcome.status === 'ok' ? operation.outcome.answer : undefined;
      const others = left.filter((other) => other !== operation);
      return outcomes(register, operation.call, seenIndexes).some(([next, given]) => agrees(answer, given) && search(others, next));
    });
    if (!found) dead.add(place);
    return found;
  }
}

const EMPTY: Register = { value: undefined, index: 0, last: 0 };

/** What a call does to a register and is told, for each index that it may give. */
function outcomes(register: Register, call: Call, seenIndexes: readonly number[]): (readonly [Register, Answer])[] {
  const { value, index, last } = register;
  const matches = 'index' in call && call.index !== undefined && (call.index === 0 ? value === undefined : call.index === index);
  switch (call.kind) {
    case 'get':
      return [[register, value === undefined ? { found: false } : { found: true, value, index }]];
    case 'put':
      return write(register, call.value, seenIndexes);
    case 'cas':
      return matches ? write(register, call.value, seenIndexes) : [[register, { applied: false }]];
    case 'delete':
      if (value !== undefined && call.index !== undefined && !matches) return [[register, { applied: false }]];
      return [[{ value: undefined, index: 0, last }, { applied: true }]];
  }
}

function write({ value, index, last }: Register, written: string, seenIndexes: readonly number[]): (readonly [Register, Answer])[] {
  const choices = [last + HIDDEN_STEP, ...seenIndexes.filter((seen) => seen > last)];
  const results: Register[] = choices.map((chosen) => ({ value: written, index: chosen, last: chosen }));
  if (value === written) results.push({ value, index, last });
  return results.map((register) => [register, { applied: true }]);
}

function agrees(told: Answer | undefined, given: Answer): boolean {
  if (told === undefined) return true;
  if ('applied' in told || 'applied' in given) return 'applied' in told && 'applied' in given && told.applied === given.applied;
  if (!told.found || !given.found) return told.found === given.found;
  return told.value === given.value && (told.index === undefined || told.index === given.index);
}

function indexesIn({ call, outcome }: Operation): number[] {
  const answered = outcome.status === 'ok' && 'index' in outcome.answer && outcome.answer.index !== undefined ? [outcome.answer.index] : [];
  return 'index' in call && call.index !== undefined ? [call.index, ...answered] : answered;
}
