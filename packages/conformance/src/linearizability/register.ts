import type { Answer, Call } from './operation.ts';

/**
 * What one key may hold.
 *
 * Invariants:
 * 1. `value` undefined: there is no such key, and `index` is undefined too.
 * 2. `index` undefined with a value: the ModifyIndex is one above `floor` that nobody has seen yet (an answered write does not tell it), or
 *    with `mayBeFloor` `floor` itself: the last write changed nothing, and may have left it alone.
 * 3. Every ModifyIndex that this key had before is at most `floor`; the next write that changes something gives one above it.
 * 4. `not` holds what an unseen index cannot be, because a cas on it was refused. Empty when there is none, or it is known.
 */
export interface RegisterState {
  readonly value: string | undefined;
  readonly index: number | undefined;
  readonly floor: number;
  readonly mayBeFloor: boolean;
  readonly not: readonly number[];
}

export const ABSENT: RegisterState = { value: undefined, index: undefined, floor: 0, mayBeFloor: false, not: [] };

/** Can this be the ModifyIndex of a key whose index nobody has seen? */
export function allows({ floor, mayBeFloor, not }: RegisterState, index: number): boolean {
  return (index > floor && !not.includes(index)) || (mayBeFloor && index === floor);
}

/**
 * The state after a call that was answered so, undefined when this answer is impossible in `state`. Without an answer (a call of unknown
 * fate) the state after it took effect, undefined when it would have had none.
 */
export function step(state: RegisterState, call: Call, answer: Answer | undefined): RegisterState | undefined {
  switch (call.kind) {
    case 'get':
      return answer === undefined ? undefined : get(state, answer);
    case 'put':
      return applied(answer) ? put(state, call.value) : undefined;
    case 'cas':
      return conditional(answer, casMatches(state, call.index), state, (seen) => put(seen, call.value), call.index);
    case 'delete':
      if (call.index === undefined || state.value === undefined) return applied(answer) ? erase(state) : undefined;
      return conditional(answer, casMatches(state, call.index), state, erase, call.index);
  }
}

function get(state: RegisterState, answer: Answer): RegisterState | undefined {
  if (!('found' in answer)) return undefined;
  if (!answer.found) return state.value === undefined ? state : undefined;
  if (answer.value !== state.value) return undefined;
  return answer.index === undefined ? state : see(state, answer.index);
}

/** The state when its ModifyIndex turns out to be `index`. */
function see(state: RegisterState, index: number): RegisterState | undefined {
  if (state.index !== undefined) return state.index === index ? state : undefined;
  return allows(state, index) ? { value: state.value, index, floor: index, mayBeFloor: false, not: [] } : undefined;
}

/** Consul leaves the ModifyIndex alone when a write changes nothing, so after one like that it may be the old or a new one. */
function put(state: RegisterState, value: string): RegisterState {
  const mayBeFloor = state.value === value && (state.index !== undefined || state.mayBeFloor);
  return { value, index: undefined, floor: state.floor, mayBeFloor, not: [] };
}

function erase(state: RegisterState): RegisterState {
  return { value: undefined, index: undefined, floor: state.floor, mayBeFloor: false, not: [] };
}

/** Yes, no, or as long as nobody saw the index: possible. */
function casMatches(state: RegisterState, index: number): 'yes' | 'no' | 'maybe' {
  if (index === 0 || state.value === undefined) return index === 0 && state.value === undefined ? 'yes' : 'no';
  if (state.index === undefined) return see(state, index) === undefined ? 'no' : 'maybe';
  return state.index === index ? 'yes' : 'no';
}

function conditional(
  answer: Answer | undefined,
  matches: 'yes' | 'no' | 'maybe',
  state: RegisterState,
  effect: (state: RegisterState) => RegisterState,
  index: number,
): RegisterState | undefined {
  if (applied(answer)) {
    const before = matches === 'maybe' ? see(state, index) : state;
    return matches === 'no' || before === undefined ? undefined : effect(before);
  }
  if (matches === 'maybe') {
    return index === state.floor ? { ...state, mayBeFloor: false } : { ...state, not: [...state.not, index].sort((a, b) => a - b) };
  }
  return matches === 'yes' ? undefined : state;
}

function applied(answer: Answer | undefined): boolean {
  return answer === undefined || ('applied' in answer && answer.applied);
}
