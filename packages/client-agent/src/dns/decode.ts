import * as dnsPacket from 'dns-packet';
import type { ClientSubnet, DnsRequest } from './record.ts';

/** A query with a name, EDNS and a cookie is far below this; more is not a question. */
const MAX_REQUEST_BYTES = 4096;
const MAX_NAME_LENGTH = 253;
const HEADER_BYTES = 12;
const OPTION_CLIENT_SUBNET = 8;

export type Decoded =
  | { readonly kind: 'request'; readonly request: DnsRequest }
  /** Not a query that can be answered: say so (`rcode`), or nothing when there is not even an id. */
  | { readonly kind: 'malformed'; readonly id: number | undefined; readonly notImplemented: boolean };

/** Never throws, whatever the bytes are. */
export function decodeRequest(bytes: Buffer): Decoded {
  const id = bytes.length >= HEADER_BYTES ? bytes.readUInt16BE(0) : undefined;
  const malformed = { kind: 'malformed', id, notImplemented: false } as const;
  if (id === undefined || bytes.length > MAX_REQUEST_BYTES) return { ...malformed, id: undefined };
  const flags = bytes.readUInt16BE(2);
  // An answer is never answered, or two servers could talk to each other forever.
  if ((flags & 0x8000) !== 0) return { ...malformed, id: undefined };
  if (((flags >> 11) & 0xf) !== 0) return { ...malformed, notImplemented: true };
  if (bytes.readUInt16BE(4) !== 1) return malformed;
  try {
    return read(bytes, id, flags) ?? malformed;
  } catch {
    return malformed;
  }
}

function read(bytes: Buffer, id: number, flags: number): Decoded | undefined {
  const packet = dnsPacket.decode(bytes);
  const question = packet.questions?.[0];
  if (question === undefined || question.name.length > MAX_NAME_LENGTH) return undefined;
  const codes = typeAndClass(bytes);
  if (codes === undefined) return undefined;
  const opt = packet.additionals?.find((record) => record.type === 'OPT');
  const request = { id, recursionDesired: (flags & 0x0100) !== 0, question: { name: question.name, ...codes } };
  if (opt?.type !== 'OPT') return { kind: 'request', request };
  const subnet = readSubnet(opt.options);
  const edns = subnet === undefined ? { udpSize: opt.udpPayloadSize } : { udpSize: opt.udpPayloadSize, subnet };
  return { kind: 'request', request: { ...request, edns } };
}

/** The decoder names types; we want the numbers, which follow the name. */
function typeAndClass(bytes: Buffer): { type: number; class: number } | undefined {
  let offset = HEADER_BYTES;
  for (let length = bytes.readUInt8(offset); length !== 0; length = bytes.readUInt8(offset)) {
    // The first name of a message has nothing to point to.
    if (length >= 0x40) return undefined;
    offset += length + 1;
  }
  return { type: bytes.readUInt16BE(offset + 1), class: bytes.readUInt16BE(offset + 3) };
}

/** Family, source prefix, scope prefix, then as many octets as the prefix needs (RFC 7871 section 6). */
function readSubnet(options: readonly { readonly data?: Buffer | undefined }[]): ClientSubnet | undefined {
  for (const option of options) {
    if ((option as { readonly code?: unknown }).code !== OPTION_CLIENT_SUBNET || option.data === undefined || option.data.length < 4)
      continue;
    const sourcePrefix = option.data.readUInt8(2);
    const address = option.data.subarray(4);
    if (address.length !== Math.ceil(sourcePrefix / 8)) return undefined;
    return { family: option.data.readUInt16BE(0), sourcePrefix, address };
  }
  return undefined;
}
