import type { HealthCheck, Session } from '@lictor/protocol';
import { checksTable, sessionChecksKey } from '../../state/tables/checks.ts';
import { foldName } from '../../state/tables/keys.ts';
import { sessionsTable } from '../../state/tables/sessions.ts';
import type { StateTxn } from '../../state/types.ts';

/** The checks of type `session` that follow sessions of this name on this node pass from now on (consul-facts V006). */
export function passSessionChecks(txn: StateTxn, session: Session): void {
  for (const check of checksOf(txn, session)) setStatus(txn, check, 'passing', `Session '${session.ID}' in force`);
}

/** Turns the checks that followed a removed session critical and answers them, unless there is another session of that name to follow. */
export function failSessionChecks(txn: StateTxn, removed: Session): readonly HealthCheck[] {
  const checks = checksOf(txn, removed);
  if (checks.length === 0) return [];
  for (const other of txn.find(sessionsTable, 'node', foldName(removed.Node))) {
    if (other.Name !== removed.Name) continue;
    passSessionChecks(txn, other);
    return [];
  }
  for (const check of checks) setStatus(txn, check, 'critical', `Session '${removed.ID}' is invalid`);
  return checks;
}

function checksOf(txn: StateTxn, session: Session): readonly HealthCheck[] {
  if (session.Name === '') return [];
  const found = [...txn.find(checksTable, 'session', sessionChecksKey(session.Node, session.Name))];
  return found.filter((check) => check.Definition.SessionName === session.Name);
}

function setStatus(txn: StateTxn, check: HealthCheck, status: HealthCheck['Status'], output: string): void {
  if (check.Status === status && check.Output === output) return;
  txn.put(checksTable, { ...check, Status: status, Output: output });
}
