import { malformed } from '../errors.ts';
import type { AliveMessage, Message } from '../swim/message.ts';
import { readAddress } from './address.ts';
import { MAX_ACK_PAYLOAD_BYTES, MAX_APP_BYTES, MAX_ID_BYTES, MAX_INCARNATION, MAX_NAME_BYTES, MAX_TAGS, MAX_TAGS_BYTES } from './limits.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

/** A message is a list that begins with the place of its type here. New types are added at the end; a reader drops those that it does not know. */
const TYPES: readonly Message['type'][] = ['ping', 'ping-request', 'ack', 'nack', 'alive', 'suspect', 'dead', 'app'];
/** Fields of the longest, and room for those of newer versions, which are not looked at. */
const MAX_FIELDS = 32;
const MAX_SEQ = 2 ** 32;
const MAX_VERSION = 255;
const encoded = new WeakMap<Message, Uint8Array>();

/** A rumour goes out many times: its bytes are made once. */
export function encodeMessage(message: Message): Uint8Array {
  const known = encoded.get(message);
  if (known !== undefined) return known;
  const writer = new Writer();
  writeMessage(writer, message);
  const bytes = writer.finish();
  encoded.set(message, bytes);
  return bytes;
}

/** @throws GossipError `malformed` */
export function decodeMessage(bytes: Uint8Array): Message | undefined {
  const reader = new Reader(bytes);
  reader.list(MAX_FIELDS);
  const type = TYPES[reader.count()];
  return type === undefined ? undefined : readMessage(reader, type);
}

export function writeContent(writer: Writer, { node, incarnation, id, address, tags, versions }: Omit<AliveMessage, 'type'>): void {
  writer.text(node).count(incarnation).text(id).text(address);
  const entries = Object.entries(tags);
  writer.map(entries.length);
  for (const [name, value] of entries) writer.text(name).text(value);
  writer.list(3).count(versions.min).count(versions.max).count(versions.current);
}

export function readContent(reader: Reader): Omit<AliveMessage, 'type'> {
  return {
    node: readName(reader),
    incarnation: reader.count(MAX_INCARNATION),
    id: reader.text(MAX_ID_BYTES),
    address: readAddress(reader),
    tags: readTags(reader),
    versions: readVersions(reader),
  };
}

export function readName(reader: Reader): string {
  const name = reader.text(MAX_NAME_BYTES);
  if (name === '') throw malformed('no name');
  return name;
}

function writeMessage(writer: Writer, message: Message): void {
  const type = TYPES.indexOf(message.type);
  switch (message.type) {
    case 'ping':
      return void writer.list(4).count(type).count(message.seq).text(message.node).text(message.from);
    case 'ping-request':
      return void writer.list(5).count(type).count(message.seq).text(message.node).text(message.from).text(message.address);
    case 'ack':
      return void writer.list(3).count(type).count(message.seq).bytes(message.payload);
    case 'nack':
      return void writer.list(2).count(type).count(message.seq);
    case 'alive':
      return writeContent(writer.list(7).count(type), message);
    case 'suspect':
    case 'dead':
      return void writer.list(4).count(type).text(message.node).count(message.incarnation).text(message.from);
    case 'app':
      return void writer.list(2).count(type).bytes(message.payload);
  }
}

function readMessage(reader: Reader, type: Message['type']): Message {
  switch (type) {
    case 'ping':
      return { type, seq: reader.count(MAX_SEQ), node: readName(reader), from: readName(reader) };
    case 'ping-request':
      return { type, seq: reader.count(MAX_SEQ), node: readName(reader), from: readName(reader), address: readAddress(reader) };
    case 'ack':
      return { type, seq: reader.count(MAX_SEQ), payload: reader.bytes(MAX_ACK_PAYLOAD_BYTES) };
    case 'nack':
      return { type, seq: reader.count(MAX_SEQ) };
    case 'alive':
      return { type, ...readContent(reader) };
    case 'suspect':
    case 'dead':
      return { type, node: readName(reader), incarnation: reader.count(MAX_INCARNATION), from: readName(reader) };
    case 'app':
      return { type, payload: reader.bytes(MAX_APP_BYTES) };
  }
}

function readTags(reader: Reader): Readonly<Record<string, string>> {
  const tags: Record<string, string> = Object.create(null) as Record<string, string>;
  let left = MAX_TAGS_BYTES;
  for (let count = reader.map(MAX_TAGS); count > 0; count--) {
    const name = reader.text(left);
    const value = reader.text(left);
    left -= Buffer.byteLength(name) + Buffer.byteLength(value);
    if (left < 0) throw malformed('too many tags');
    tags[name] = value;
  }
  return tags;
}

function readVersions(reader: Reader): AliveMessage['versions'] {
  if (reader.list(MAX_FIELDS) !== 3) throw malformed('no versions');
  const versions = { min: reader.count(MAX_VERSION), max: reader.count(MAX_VERSION), current: reader.count(MAX_VERSION) };
  if (versions.min === 0 || versions.min > versions.max) throw malformed('no versions');
  return versions;
}
