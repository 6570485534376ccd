import type { Session } from '@lictor/protocol';
import { compositeKey, foldName } from '../../state/tables/keys.ts';
import { kvTable } from '../../state/tables/kv.ts';
import { lockDelaysTable, MAX_LOCK_DELAY_MS } from '../../state/tables/lock-delays.ts';
import { preparedQueriesTable, preparedQueryKey } from '../../state/tables/prepared-queries.ts';
import { sessionsTable } from '../../state/tables/sessions.ts';
import type { StateTxn } from '../../state/types.ts';
import { failSessionChecks } from './session-checks.ts';

/** Ends every session of a node that is being removed. */
export function invalidateSessionsForNode(txn: StateTxn, node: string): void {
  for (const session of txn.find(sessionsTable, 'node', foldName(node))) destroySession(txn, session);
}

/** Ends every session that lives on a check which turned critical or is being removed. */
export function invalidateSessionsForCheck(txn: StateTxn, node: string, checkId: string): void {
  for (const session of txn.find(sessionsTable, 'check', compositeKey(node, checkId))) destroySession(txn, session);
}

/**
 * Ends a session. Checks that follow it turn critical, which ends the sessions that live on those, and so on: a list instead of
 * recursion, since callers decide how long such a chain is.
 */
export function destroySession(txn: StateTxn, session: Session): void {
  const ending = [session];
  for (let next = ending.pop(); next !== undefined; next = ending.pop()) {
    if (txn.peek(sessionsTable, next.ID) === undefined) continue;
    removeSession(txn, next);
    for (const check of failSessionChecks(txn, next)) {
      for (const other of txn.find(sessionsTable, 'check', compositeKey(check.Node, check.CheckID))) ending.push(other);
    }
  }
}

/** Removes the session, and releases or deletes what it has locked, which nobody may lock again during its lock delay. Its
 * prepared queries go with it. */
function removeSession(txn: StateTxn, session: Session): void {
  txn.remove(sessionsTable, session.ID);
  for (const query of txn.find(preparedQueriesTable, 'session', session.ID)) txn.remove(preparedQueriesTable, preparedQueryKey(query.ID));
  const delayMs = Math.min(session.LockDelay, MAX_LOCK_DELAY_MS);
  for (const entry of txn.find(kvTable, 'session', session.ID)) {
    if (session.Behavior === 'delete') txn.remove(kvTable, entry.Key);
    else txn.put(kvTable, { ...entry, Session: '' });
    if (delayMs > 0) txn.put(lockDelaysTable, { Key: entry.Key, ExpiresMs: txn.timeMs + delayMs, CreateIndex: 0, ModifyIndex: 0 });
  }
}
