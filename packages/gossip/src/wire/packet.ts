import { malformed } from '../errors.ts';
import type { Message } from '../swim/message.ts';
import { MAX_PACKET_BYTES, MAX_PARTS } from './limits.ts';
import { decodeMessage, encodeMessage } from './message-codec.ts';

/** Length of each part in front of it. */
const PART_HEAD_BYTES = 2;
/** Count of the parts. */
export const PACKET_HEAD_BYTES = 1;

/** A message's share of a datagram. */
export function sizeOfPart(message: Message): number {
  return encodeMessage(message).length + PART_HEAD_BYTES;
}

/** Several messages in one datagram: their count, and each behind its length. */
export function encodePacket(messages: readonly Message[]): Uint8Array {
  const parts = messages.slice(0, MAX_PARTS).map(encodeMessage);
  const size = parts.reduce((sum, { length }) => sum + PART_HEAD_BYTES + length, PACKET_HEAD_BYTES);
  const packet = new Uint8Array(size);
  const view = new DataView(packet.buffer);
  packet[0] = parts.length;
  let at = PACKET_HEAD_BYTES;
  for (const part of parts) {
    view.setUint16(at, part.length);
    packet.set(part, at + PART_HEAD_BYTES);
    at += PART_HEAD_BYTES + part.length;
  }
  return packet;
}

/**
 * All or nothing: a packet with one bad part comes from nobody whose other parts should be believed. Messages of types that are newer than this
 * code are left out.
 * @throws GossipError `malformed`
 */
export function decodePacket(packet: Uint8Array): Message[] {
  if (packet.length > MAX_PACKET_BYTES) throw malformed('packet too large');
  const count = packet[0];
  if (count === undefined || count === 0) throw malformed('empty packet');
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const messages: Message[] = [];
  let at = PACKET_HEAD_BYTES;
  for (let part = 0; part < count; part++) {
    if (at + PART_HEAD_BYTES > packet.length) throw malformed('ends too early');
    const end = at + PART_HEAD_BYTES + view.getUint16(at);
    if (end > packet.length) throw malformed('ends too early');
    const message = decodeMessage(packet.subarray(at + PART_HEAD_BYTES, end));
    if (message !== undefined) messages.push(message);
    at = end;
  }
  if (at !== packet.length) throw malformed('more than was announced');
  return messages;
}
