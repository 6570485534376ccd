import type { Session } from '@lictor/protocol';
import { type LongView, sharedListView } from '../reply/views.ts';

export const sessionsView: LongView<readonly Session[]> = sharedListView(sessionJson);

export function sessionJson(session: Session): object {
  return {
    ID: session.ID,
    Name: session.Name,
    Node: session.Node,
    LockDelay: Math.round(session.LockDelay * 1e6),
    Behavior: session.Behavior,
    TTL: session.TTL,
    NodeChecks: session.NodeChecks,
    ServiceChecks: session.ServiceChecks.length === 0 ? null : session.ServiceChecks.map(({ ID, Namespace }) => ({ ID, Namespace })),
    CreateIndex: session.CreateIndex,
    ModifyIndex: session.ModifyIndex,
  };
}
