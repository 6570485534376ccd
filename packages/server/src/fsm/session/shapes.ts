import type { Session } from '@lictor/protocol';

type SessionFields = Omit<Session, 'CreateIndex' | 'ModifyIndex'>;

export function isSessionFields(value: unknown): value is SessionFields {
  if (typeof value !== 'object' || value === null) return false;
  const { ID, Name, Node, LockDelay, Behavior, TTL, NodeChecks, ServiceChecks } = value as Record<string, unknown>;
  return (
    isNonEmpty(ID) &&
    typeof Name === 'string' &&
    isNonEmpty(Node) &&
    Number.isFinite(LockDelay) &&
    (Behavior === 'release' || Behavior === 'delete') &&
    typeof TTL === 'string' &&
    Array.isArray(NodeChecks) &&
    NodeChecks.every((check) => typeof check === 'string') &&
    Array.isArray(ServiceChecks) &&
    ServiceChecks.every(isServiceCheck)
  );
}

function isServiceCheck(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { ID, Namespace } = value as Record<string, unknown>;
  return typeof ID === 'string' && typeof Namespace === 'string';
}

function isNonEmpty(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}
