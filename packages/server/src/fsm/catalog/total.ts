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
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      return new CommandFailure('rejected', `command ${type} failed: ${reason}`);
    }
  };
}
