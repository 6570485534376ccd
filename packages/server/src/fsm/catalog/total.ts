import { LictorError } from '@lictor/protocol';
import type { StateTxn } from '../../state/types.ts';
import { CommandFailure } from '../types.ts';

/**
 * Makes a handler total: a body that `isBody` refuses, or that makes the handler throw all the same, is a refusal by the state
 * like any other, the same on every server.
 */
export function total<Body, Result>(
  type: string,
  isBody: (value: unknown) => value is Body,
  apply: (txn: StateTxn, body: Body, timeMs: number) => Result | CommandFailure,
): (txn: StateTxn, body: Body, timeMs: number) => Result | CommandFailure {
  return (txn, body, timeMs) => {
    if (!isBody(body)) return new CommandFailure('invalid-argument', `malformed command ${type}`);
    try {
      return apply(txn, body, timeMs);
    } catch (thrown) {
      return toFailure(type, thrown);
    }
  };
}

/** Rules of `mesh` refuse by throwing: those texts are for the client. */
function toFailure(type: string, thrown: unknown): CommandFailure {
  if (thrown instanceof LictorError && isFailureCode(thrown.code)) return new CommandFailure(thrown.code, thrown.message);
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  return new CommandFailure('rejected', `command ${type} failed: ${reason}`);
}

function isFailureCode(code: string): code is CommandFailure['code'] {
  return code === 'rejected' || code === 'not-found' || code === 'invalid-argument' || code === 'conflict';
}
