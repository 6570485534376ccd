import { GossipError, malformed } from '../errors.ts';
import type { QueryResponseMessage, SerfMessage, SerfState } from '../serf/message.ts';
import type { Coordinate, UserEvent } from '../types.ts';
import { readAddress } from './address.ts';
import { MAX_APP_BYTES, MAX_NAME_BYTES, MAX_RECORDS, MAX_TAGS } from './limits.ts';
import { readName } from './message-codec.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

const TYPES: readonly SerfMessage['type'][] = ['join-intent', 'leave-intent', 'user-event', 'query', 'query-response', 'relay'];
const MAX_FIELDS = 32;
const MAX_TIME = 2 ** 48;
const MAX_QUERY_ID = 2 ** 32;
const MAX_PATTERN_BYTES = 512;
const MAX_RELAYS = 16;
const MAX_TIMEOUT_MS = 3_600_000;
/** Of a filter. */
const MAX_NODES = 256;
const MAX_EVENTS = 4096;
const MAX_DIMENSIONS = 16;

export function encodeSerfMessage(message: SerfMessage): Uint8Array {
  const writer = new Writer();
  const type = TYPES.indexOf(message.type);
  switch (message.type) {
    case 'join-intent':
      return writer.list(3).count(type).count(message.time).text(message.node).finish();
    case 'leave-intent':
      return writer.list(4).count(type).count(message.time).text(message.node).flag(message.prune).finish();
    case 'user-event':
      writeEvent(writer.list(2).count(type), message);
      return writer.finish();
    case 'query':
      writer.list(12).count(type).count(message.time).count(message.id).text(message.from).text(message.fromAddress);
      writer.text(message.name).bytes(message.payload).list(message.nodes.length);
      for (const node of message.nodes) writer.text(node);
      writer.map(Object.keys(message.tags).length);
      for (const [name, pattern] of Object.entries(message.tags)) writer.text(name).text(pattern);
      return writer.flag(message.wantsAck).count(message.relays).count(message.timeoutMs).finish();
    case 'query-response':
      writeResponse(writer.list(6).count(type), message);
      return writer.finish();
    case 'relay':
      writeResponse(writer.list(7).count(type).text(message.node), message.response);
      return writer.finish();
  }
}

/** @throws GossipError `malformed`. Undefined: of a type that is newer than this code */
export function decodeSerfMessage(bytes: Uint8Array): SerfMessage | undefined {
  const reader = new Reader(bytes);
  reader.list(MAX_FIELDS);
  const type = TYPES[reader.count()];
  switch (type) {
    case 'join-intent':
      return { type, time: reader.count(MAX_TIME), node: readName(reader) };
    case 'leave-intent':
      return { type, time: reader.count(MAX_TIME), node: readName(reader), prune: reader.flag() };
    case 'user-event':
      return { type, ...readEvent(reader) };
    case 'query':
      return { type, ...readQuery(reader) };
    case 'query-response':
      return readResponse(reader);
    case 'relay':
      return { type, node: readName(reader), response: readResponse(reader) };
    default:
      return undefined;
  }
}

export function encodeSerfState(state: SerfState): Uint8Array {
  const writer = new Writer().list(6).count(state.memberTime).count(state.eventTime).count(state.queryTime);
  writer.list(state.statusTimes.length);
  for (const [node, time] of state.statusTimes) writer.list(2).text(node).count(time);
  writer.list(state.left.length);
  for (const node of state.left) writer.text(node);
  writer.list(state.events.length);
  for (const event of state.events) writeEvent(writer, event);
  return writer.finish();
}

/** @throws GossipError `malformed` */
export function decodeSerfState(bytes: Uint8Array): SerfState {
  const reader = new Reader(bytes);
  reader.list(MAX_FIELDS);
  const times = { memberTime: reader.count(MAX_TIME), eventTime: reader.count(MAX_TIME), queryTime: reader.count(MAX_TIME) };
  const statusTimes = repeat(reader.list(MAX_RECORDS), () => {
    if (reader.list(MAX_FIELDS) !== 2) throw malformed('no status');
    return [readName(reader), reader.count(MAX_TIME)] as const;
  });
  const left = repeat(reader.list(MAX_RECORDS), () => readName(reader));
  const events = repeat(reader.list(MAX_EVENTS), () => readEvent(reader));
  return { ...times, statusTimes, left, events };
}

export function encodeCoordinate({ vec, error, adjustment, height }: Coordinate): Uint8Array {
  const writer = new Writer().list(4).list(vec.length);
  for (const value of vec) writer.float(value);
  return writer.float(error).float(adjustment).float(height).finish();
}

/** Undefined: it is none. A bad coordinate makes no bad ack. */
export function decodeCoordinate(bytes: Uint8Array): Coordinate | undefined {
  try {
    const reader = new Reader(bytes);
    reader.list(MAX_FIELDS);
    const vec = repeat(reader.list(MAX_DIMENSIONS), () => reader.float());
    return { vec, error: reader.float(), adjustment: reader.float(), height: reader.float() };
  } catch (error) {
    if (error instanceof GossipError) return undefined;
    throw error;
  }
}

function writeEvent(writer: Writer, { time, name, payload, coalesce }: UserEvent): void {
  writer.list(4).count(time).text(name).bytes(payload).flag(coalesce);
}

function readEvent(reader: Reader): UserEvent {
  if (reader.list(MAX_FIELDS) < 4) throw malformed('no event');
  return { time: reader.count(MAX_TIME), name: reader.text(MAX_APP_BYTES), payload: reader.bytes(MAX_APP_BYTES), coalesce: reader.flag() };
}

function readQuery(reader: Reader): Omit<Extract<SerfMessage, { type: 'query' }>, 'type'> {
  return {
    time: reader.count(MAX_TIME),
    id: reader.count(MAX_QUERY_ID),
    from: readName(reader),
    fromAddress: readAddress(reader),
    name: reader.text(MAX_APP_BYTES),
    payload: reader.bytes(MAX_APP_BYTES),
    nodes: repeat(reader.list(MAX_NODES), () => readName(reader)),
    tags: readPatterns(reader),
    wantsAck: reader.flag(),
    relays: reader.count(MAX_RELAYS),
    timeoutMs: reader.count(MAX_TIMEOUT_MS),
  };
}

function readPatterns(reader: Reader): Readonly<Record<string, string>> {
  const patterns: Record<string, string> = Object.create(null) as Record<string, string>;
  for (let count = reader.map(MAX_TAGS); count > 0; count--) patterns[reader.text(MAX_NAME_BYTES)] = reader.text(MAX_PATTERN_BYTES);
  return patterns;
}

function writeResponse(writer: Writer, { time, id, from, isAck, payload }: QueryResponseMessage): void {
  writer.count(time).count(id).text(from).flag(isAck).bytes(payload);
}

function readResponse(reader: Reader): QueryResponseMessage {
  return {
    type: 'query-response',
    time: reader.count(MAX_TIME),
    id: reader.count(MAX_QUERY_ID),
    from: readName(reader),
    isAck: reader.flag(),
    payload: reader.bytes(MAX_APP_BYTES),
  };
}

/** Calls in a loop of its own: `Array.from` with a length would allocate first. */
function repeat<T>(count: number, read: () => T): T[] {
  const items: T[] = [];
  for (let left = count; left > 0; left--) items.push(read());
  return items;
}
