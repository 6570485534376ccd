export { isAddress } from './address.ts';
export * from './limits.ts';
export { decodeMessage, encodeMessage } from './message-codec.ts';
export { decodePacket, encodePacket, PACKET_HEAD_BYTES, sizeOfPart } from './packet.ts';
export { decodeStreamMessage, encodeStreamMessage } from './stream-codec.ts';
