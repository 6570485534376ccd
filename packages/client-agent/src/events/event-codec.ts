import { type FiredEvent, LictorError } from '@lictor/protocol';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Ends the head; in JSON it is always escaped. */
const LINE_END = 0x0a;

/** A user event as gossip carries it: a line of JSON, and the payload behind it as it is. Few bytes matter more than names. */
export function encodeEvent({ Version, ID, Name, Payload, NodeFilter, ServiceFilter, TagFilter }: FiredEvent): Uint8Array {
  const hasPayload = Payload === null ? 0 : 1;
  const head = `${JSON.stringify([Version, ID, Name, hasPayload, NodeFilter, ServiceFilter, TagFilter])}\n`;
  return Buffer.concat([Buffer.from(head), Payload ?? new Uint8Array(0)]);
}

/** @throws LictorError `invalid-argument`: another agent has sent what is no event */
export function decodeEvent(bytes: Uint8Array): FiredEvent {
  const end = bytes.indexOf(LINE_END);
  if (end < 0) throw malformed();
  const fields = parse(bytes.subarray(0, end));
  if (!Array.isArray(fields) || fields.length !== 7) throw malformed();
  const [version, id, name, hasPayload, ...filters] = fields as unknown[];
  if (typeof version !== 'number' || typeof id !== 'string' || !UUID.test(id) || typeof name !== 'string' || name === '') throw malformed();
  if (hasPayload !== 1 && (hasPayload !== 0 || end !== bytes.length - 1)) throw malformed();
  const [node = '', service = '', tag = ''] = filters.map((filter) => {
    if (typeof filter !== 'string') throw malformed();
    return filter;
  });
  const Payload = hasPayload === 1 ? Uint8Array.from(bytes.subarray(end + 1)) : null;
  return { Version: version, ID: id, Name: name, Payload, NodeFilter: node, ServiceFilter: service, TagFilter: tag };
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
