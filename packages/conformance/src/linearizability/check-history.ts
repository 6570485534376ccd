import { checkKey, type Failure } from './check-key.ts';
import type { Operation } from './operation.ts';

export interface HistoryVerdict {
  /** How many operations said something: failed ones and reads without an answer do not. */
  readonly checked: number;
  readonly keys: number;
  /** Keys whose operations have no linearization; empty when all is well. */
  readonly failures: readonly Failure[];
}

/** Checks each key by itself: linearizability is local (Herlihy and Wing 1990, theorem 1). Every key is absent at first. */
export function checkHistory(operations: readonly Operation[]): HistoryVerdict {
  const byKey = Map.groupBy(operations, (operation) => operation.key);
  const failures: Failure[] = [];
  for (const ofKey of byKey.values()) {
    const verdict = checkKey(ofKey);
    if (!verdict.linearizable) failures.push(verdict.failure);
  }
  return { checked: operations.filter(tells).length, keys: byKey.size, failures };
}

function tells({ call, outcome }: Operation): boolean {
  return outcome.status === 'ok' || (outcome.status === 'unknown' && call.kind !== 'get');
}
