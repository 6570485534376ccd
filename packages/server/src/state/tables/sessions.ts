import type { Session } from '@lictor/protocol';
import type { Table } from '../types.ts';
import { compositeKey, foldName } from './keys.ts';

/** Sessions by id, found by their node and by each check that they live on. */
export const sessionsTable: Table<Session> = {
  name: 'sessions',
  key: (session) => session.ID,
  indexes: {
    node: (session) => [foldName(session.Node)],
    check: (session) => sessionCheckIds(session).map((checkId) => compositeKey(session.Node, checkId)),
  },
};

/** Every check whose turning critical ends the session. */
export function sessionCheckIds(session: Session): string[] {
  return [...session.NodeChecks, ...session.ServiceChecks.map((check) => check.ID)];
}
