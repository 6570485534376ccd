import { formatDuration, LictorError, parseDuration, randomUuid, type Session, type SessionCreateRequest } from '@lictor/protocol';
import { SESSION_CREATE, SESSION_DESTROY, type SessionFields } from '../../fsm/commands/session.ts';
import { foldName } from '../../state/tables/keys.ts';
import { sessionsTable } from '../../state/tables/sessions.ts';
import type { ReadContext, ReadEndpoints, WriteContext, WriteEndpoints } from '../types.ts';
import { requireAccess, visible } from './shared/acl.ts';
import { applyFailure } from './shared/apply-failure.ts';
import { measure } from './shared/measure.ts';

/** consul-facts T010, T011. */
export const SESSION_TTL_MAX_MS = 24 * 3600_000;
const DEFAULT_LOCK_DELAY_MS = 15_000;
const SERF_HEALTH = 'serfHealth';
/** A JSON number below 1000 ns is meant as seconds (docs: session LockDelay). */
const LOCK_DELAY_SECONDS_BELOW_MS = 1e-3;

export const sessionReads = {
  'Session.Get': (reader, { id }, context) => {
    const session = reader.get(sessionsTable, id);
    return session === undefined ? null : (onlyReadable(context, [session])[0] ?? null);
  },
  'Session.List': (reader, _request, context) => onlyReadable(context, [...reader.scan(sessionsTable)]),
  'Session.NodeSessions': (reader, { node }, context) => onlyReadable(context, [...reader.find(sessionsTable, 'node', foldName(node))]),
} satisfies ReadEndpoints;

/** What the endpoints need of the leader. */
export interface SessionTimers {
  /** Starts the session's time to live anew. */
  touch(id: string, ttl: string): void;
  /** Its end has been proposed: it must not be told that it lives on. */
  isExpiring(id: string): boolean;
}

export function createSessionWrites(timers: SessionTimers, ttlMinMs: number) {
  return {
    'Session.Create': (request, context) => measure(context, 'session.apply', () => create(request, context, timers, ttlMinMs)),
    'Session.Destroy': ({ id }, context) => measure(context, 'session.apply', () => destroy(id, context)),
    'Session.Renew': ({ id }, context) => measure(context, 'session.renew', () => renew(id, context, timers)),
  } satisfies WriteEndpoints;
}

function onlyReadable(context: ReadContext, sessions: readonly Session[]): readonly Session[] {
  return visible(context, sessions, (session) => context.authorizer.allows('session', session.Node, 'read'));
}

async function create(
  request: SessionCreateRequest,
  context: WriteContext,
  timers: SessionTimers,
  ttlMinMs: number,
): Promise<{ index: number; value: string }> {
  if (request.Node === '') throw new LictorError('rejected', 'Must provide Node');
  requireAccess(context.authorizer, 'session', request.Node, 'write');
  const behavior = request.Behavior === '' ? 'release' : request.Behavior;
  if (behavior !== 'release' && behavior !== 'delete') {
    throw new LictorError('rejected', `Invalid Behavior setting '${request.Behavior}'`);
  }
  if (request.TTL !== '') checkTtl(request.TTL, ttlMinMs);
  const session: SessionFields = {
    ID: randomUuid(context.random),
    Name: request.Name,
    Node: request.Node,
    LockDelay: lockDelayMs(request.LockDelay),
    Behavior: behavior,
    TTL: request.TTL,
    NodeChecks: nodeChecks(request),
    ServiceChecks: request.ServiceChecks ?? [],
  };
  const { index, result } = await context.propose<string>(SESSION_CREATE, session).catch(applyFailure('apply failed'));
  timers.touch(session.ID, session.TTL);
  return { index, value: result };
}

async function destroy(id: string, context: WriteContext): Promise<{ index: number; value: undefined }> {
  if (id === '') throw new LictorError('rejected', 'Must provide ID');
  const reader = context.reader();
  const existing = reader.peek(sessionsTable, id);
  if (existing === undefined) return { index: reader.appliedIndex, value: undefined };
  requireAccess(context.authorizer, 'session', existing.Node, 'write');
  const { index } = await context.propose(SESSION_DESTROY, { id }).catch(applyFailure('apply failed'));
  return { index, value: undefined };
}

/** Renewing moves a timer of the leader's; nothing is written. */
async function renew(id: string, context: WriteContext, timers: SessionTimers): Promise<{ index: number; value: Session | null }> {
  const reader = context.reader();
  const session = reader.peek(sessionsTable, id);
  if (session === undefined) return { index: reader.appliedIndex, value: null };
  requireAccess(context.authorizer, 'session', session.Node, 'write');
  if (timers.isExpiring(id)) return { index: reader.appliedIndex, value: null };
  timers.touch(session.ID, session.TTL);
  return { index: reader.appliedIndex, value: session };
}

/** @throws LictorError `rejected` */
function checkTtl(ttl: string, minMs: number): void {
  const ttlMs = parseDuration(ttl);
  if (ttlMs === undefined) throw new LictorError('rejected', `Session TTL '${ttl}' invalid: time: invalid duration ${JSON.stringify(ttl)}`);
  if (ttlMs === 0 || (ttlMs >= minMs && ttlMs <= SESSION_TTL_MAX_MS)) return;
  const range = `[${formatDuration(minMs)}=${formatDuration(SESSION_TTL_MAX_MS)}]`;
  throw new LictorError('rejected', `Invalid Session TTL '${Math.round(ttlMs * 1e6)}', must be between ${range}`);
}

function lockDelayMs(asked: number | undefined): number {
  if (asked === undefined) return DEFAULT_LOCK_DELAY_MS;
  return asked < LOCK_DELAY_SECONDS_BELOW_MS ? Math.round(asked * 1e6) * 1000 : asked;
}

/** `Checks` is the old name of `NodeChecks`. Who names none gets the node's own health; who sends an empty list gets none. */
function nodeChecks(request: SessionCreateRequest): string[] {
  const { Checks, NodeChecks } = request;
  if (Checks === undefined && NodeChecks === undefined) return [SERF_HEALTH];
  return [...new Set([...(NodeChecks ?? []), ...(Checks ?? [])])];
}
