import { type FiredEvent, LictorError } from '@lictor/protocol';
import type { LiveEndpoint, LiveEndpoints } from '../types.ts';
import { requireAccess } from './shared/acl.ts';

/** Tells all agents of this datacenter. @throws Error when it is too large */
export type FireEvent = (event: FiredEvent) => void;

const TEXTS = ['ID', 'Name', 'NodeFilter', 'ServiceFilter', 'TagFilter'] as const;

/** PUT /v1/event/fire/:name with the name of another datacenter (consul-facts H118). */
export function createEventLive(fireEvent: FireEvent | undefined) {
  const fire: LiveEndpoint<'Event.Fire'> = async (event, { authorizer }) => {
    if (!isEvent(event)) throw new LictorError('invalid-argument', 'not a user event');
    requireAccess(authorizer, 'event', event.Name, 'write');
    if (fireEvent === undefined) throw new LictorError('rejected', 'this server runs by itself, without other agents');
    fireEvent(event);
    return { index: 1, value: null };
  };
  return { 'Event.Fire': fire } satisfies LiveEndpoints;
}

/** What comes over the network is of any shape. */
function isEvent(event: FiredEvent): boolean {
  const hasPayload = event.Payload === null || event.Payload instanceof Uint8Array;
  return hasPayload && typeof event.Version === 'number' && TEXTS.every((key) => typeof event[key] === 'string') && event.Name !== '';
}
