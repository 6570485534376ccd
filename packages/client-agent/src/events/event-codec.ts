import { LictorError } from '@lictor/protocol';
import type { UserEvent } from '../contracts/index.ts';

export type SentEvent = Omit<UserEvent, 'LTime'>;

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A user event as gossip carries it: few bytes matter more than names. */
export function encodeEvent({ Version, ID, Name, Payload, NodeFilter, ServiceFilter, TagFilter }: SentEvent): Uint8Array {
  const payload = Payload === null ? null : Buffer.from(Payload).toString('base64');
  return Buffer.from(JSON.stringify([Version, ID, Name, payload, NodeFilter, ServiceFilter, TagFilter]));
}

/** @throws LictorError `invalid-argument`: another agent has sent what is no event */
export function decodeEvent(bytes: Uint8Array): SentEvent {
  const fields = parse(bytes);
  if (!Array.isArray(fields) || fields.length !== 7) throw malformed();
  const [version, id, name, payload, ...filters] = fields as unknown[];
  if (typeof version !== 'number' || typeof id !== 'string' || !UUID.test(id) || typeof name !== 'string' || name === '') throw malformed();
  if (payload !== null && typeof payload !== 'string') throw malformed();
  const [node, service, tag] = filters.map((filter) => {
    if (typeof filter !== 'string') throw malformed();
    return filter;
  });
  return {
    Version: version,
    ID: id,
    Name: name,
    Payload: payload === null ? null : Buffer.from(payload, 'base64'),
    NodeFilter: node ?? '',
    ServiceFilter: service ?? '',
    TagFilter: tag ?? '',
  };
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch {
    throw malformed();
  }
}

function malformed(): LictorError {
  return new LictorError('invalid-argument', 'not a user event');
}
