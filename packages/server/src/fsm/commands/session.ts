import type { Session } from '@lictor/protocol';
import { checkKey, checksTable } from '../../state/tables/checks.ts';
import { nodeKey, nodesTable } from '../../state/tables/nodes.ts';
import { sessionCheckIds, sessionsTable } from '../../state/tables/sessions.ts';
import type { StateTxn } from '../../state/types.ts';
import { destroySession } from '../session/invalidate.ts';
import { passSessionChecks } from '../session/session-checks.ts';
import { isSessionFields } from '../session/shapes.ts';
import { CommandFailure, type CommandHandlers } from '../types.ts';

export { invalidateSessionsForCheck, invalidateSessionsForNode } from '../session/invalidate.ts';

export const SESSION_CREATE = 'session.create';
export const SESSION_DESTROY = 'session.destroy';

export type SessionFields = Omit<Session, 'CreateIndex' | 'ModifyIndex'>;

export const sessionCommands = {
  [SESSION_CREATE]: applyCreate,
  [SESSION_DESTROY]: applyDestroy,
} satisfies CommandHandlers;

/** The session's id. Its node must exist, and its checks must exist and not be critical. */
function applyCreate(txn: StateTxn, body: SessionFields): string | CommandFailure {
  if (!isSessionFields(body)) return new CommandFailure('invalid-argument', `malformed command ${SESSION_CREATE}`);
  if (txn.peek(nodesTable, nodeKey(body.Node)) === undefined) return new CommandFailure('rejected', 'Missing node registration');
  for (const checkId of sessionCheckIds({ ...body, CreateIndex: 0, ModifyIndex: 0 })) {
    const check = txn.peek(checksTable, checkKey(body.Node, checkId));
    if (check === undefined) return new CommandFailure('rejected', `Missing check '${checkId}' registration`);
    // Checks of sessions are critical until there is one.
    if (check.Status === 'critical' && check.Type !== 'session')
      return new CommandFailure('rejected', `Check '${checkId}' is in critical state`);
  }
  passSessionChecks(txn, txn.put(sessionsTable, { ...body, CreateIndex: 0, ModifyIndex: 0 }));
  return body.ID;
}

/** False when the session was not there, which is no failure: destroying is idempotent. */
function applyDestroy(txn: StateTxn, body: { readonly id: string }): boolean | CommandFailure {
  if (typeof body?.id !== 'string') return new CommandFailure('invalid-argument', `malformed command ${SESSION_DESTROY}`);
  const session = txn.peek(sessionsTable, body.id);
  if (session === undefined) return false;
  destroySession(txn, session);
  return true;
}
