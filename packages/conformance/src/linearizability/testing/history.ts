import type { Answer, Call, Operation } from '../operation.ts';

/** A history as a test writes it: one line an operation, `[call ms, return ms, client, call, answer]`; no answer is an unknown fate. */
export type Line = readonly [number, number, string, Call, Answer?];

export function history(...lines: readonly Line[]): Operation[] {
  return lines.map(([callMs, returnMs, client, call, answer]) => ({
    client,
    key: 'k',
    call,
    callMs,
    outcome: answer === undefined ? { status: 'unknown' } : { status: 'ok', returnMs, answer },
  }));
}

export const get: Call = { kind: 'get' };
export const put = (value: string): Call => ({ kind: 'put', value });
export const cas = (index: number, value: string): Call => ({ kind: 'cas', index, value });
export const remove = (index?: number): Call => (index === undefined ? { kind: 'delete' } : { kind: 'delete', index });

export const absent: Answer = { found: false };
export const done: Answer = { applied: true };
export const refused: Answer = { applied: false };
export const shows = (value: string, index?: number): Answer =>
  index === undefined ? { found: true, value } : { found: true, value, index };
