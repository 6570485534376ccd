import { malformed } from '../errors.ts';
import type { MemberRecord, NodeState, StreamMessage } from '../swim/message.ts';
import { MAX_ACK_PAYLOAD_BYTES, MAX_APP_STATE_BYTES, MAX_REASON_BYTES, MAX_RECORDS } from './limits.ts';
import { readContent, readName, writeContent } from './message-codec.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

const TYPES: readonly StreamMessage['type'][] = ['push-pull', 'refused', 'ping', 'ack'];
const STATES: readonly NodeState[] = ['alive', 'suspect', 'dead', 'left'];
const MAX_FIELDS = 32;
const MAX_SEQ = 2 ** 32;
const CONTENT_FIELDS = 6;
const MAX_REASON_CHARACTERS = Math.floor(MAX_REASON_BYTES / 4);

export function encodeStreamMessage(message: StreamMessage): Uint8Array {
  const writer = new Writer();
  const type = TYPES.indexOf(message.type);
  switch (message.type) {
    case 'push-pull':
      writer.list(5).count(type).text(message.from).flag(message.join).list(message.members.length);
      for (const record of message.members) writeRecord(writer, record);
      return writer.bytes(message.app).finish();
    case 'refused':
      return writer.list(2).count(type).text(message.reason.slice(0, MAX_REASON_CHARACTERS)).finish();
    case 'ping':
      return writer.list(4).count(type).count(message.seq).text(message.node).text(message.from).finish();
    case 'ack':
      return writer.list(3).count(type).count(message.seq).bytes(message.payload).finish();
  }
}

/** @throws GossipError `malformed` */
export function decodeStreamMessage(bytes: Uint8Array): StreamMessage {
  const reader = new Reader(bytes);
  reader.list(MAX_FIELDS);
  const type = TYPES[reader.count()];
  switch (type) {
    case 'push-pull': {
      const head = { from: readName(reader), join: reader.flag() };
      const members: MemberRecord[] = [];
      for (let count = reader.list(MAX_RECORDS); count > 0; count--) members.push(readRecord(reader));
      return { type, ...head, members, app: reader.bytes(MAX_APP_STATE_BYTES) };
    }
    case 'refused':
      return { type, reason: reader.text(MAX_REASON_BYTES) };
    case 'ping':
      return { type, seq: reader.count(MAX_SEQ), node: readName(reader), from: readName(reader) };
    case 'ack':
      return { type, seq: reader.count(MAX_SEQ), payload: reader.bytes(MAX_ACK_PAYLOAD_BYTES) };
    default:
      throw malformed('unknown type of stream');
  }
}

function writeRecord(writer: Writer, record: MemberRecord): void {
  writer.list(CONTENT_FIELDS + 1).count(STATES.indexOf(record.state));
  writeContent(writer, record);
}

function readRecord(reader: Reader): MemberRecord {
  if (reader.list(MAX_FIELDS) !== CONTENT_FIELDS + 1) throw malformed('no record');
  const state = STATES[reader.count()];
  if (state === undefined) throw malformed('unknown state');
  return { state, ...readContent(reader) };
}
