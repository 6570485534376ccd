import type { DerElement } from './reader.ts';
import { malformed } from './reader.ts';
import { Tag } from './tags.ts';

const MAX_OID_BYTES = 64;
const MAX_INTEGER_BYTES = 32;
const UTC_TIME = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;
const GENERALIZED_TIME = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;

/** Dotted form. Arcs over 2^28 are refused rather than truncated (CVE-2025-66030). */
export function decodeOid(content: Buffer): string {
  if (content.length === 0 || content.length > MAX_OID_BYTES) throw malformed('object identifier of a bad length');
  const arcs: number[] = [];
  let arc = 0;
  let octets = 0;
  for (const byte of content) {
    if (octets === 0 && byte === 0x80) throw malformed('object identifier not minimal');
    if (octets === 4) throw malformed('object identifier arc too large');
    arc = arc * 128 + (byte & 0x7f);
    octets++;
    if ((byte & 0x80) !== 0) continue;
    if (arcs.length === 0) {
      const root = Math.min(Math.floor(arc / 40), 2);
      arcs.push(root, arc - root * 40);
    } else arcs.push(arc);
    arc = 0;
    octets = 0;
  }
  if (octets !== 0) throw malformed('object identifier ends inside an arc');
  return arcs.join('.');
}

/** X.690 11.1: only 0x00 and 0xff. */
export function decodeBoolean(content: Buffer): boolean {
  if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) throw malformed('boolean');
  return content[0] === 0xff;
}

/** The content octets of a non-negative, minimal INTEGER without its sign octet. */
export function decodeUnsigned(content: Buffer): Buffer {
  const [first, second] = content;
  if (first === undefined || content.length > MAX_INTEGER_BYTES) throw malformed('integer of a bad length');
  if (first >= 0x80) throw malformed('negative integer');
  if (content.length > 1 && first === 0 && second !== undefined && second < 0x80) throw malformed('integer not minimal');
  return content.length > 1 && first === 0 ? content.subarray(1) : content;
}

/** A small non-negative INTEGER: versions, path lengths. */
export function decodeSmallInteger(content: Buffer): number {
  const bytes = decodeUnsigned(content);
  if (bytes.length > 4) throw malformed('integer too large');
  return bytes.readUIntBE(0, bytes.length);
}

/** The octets of a BIT STRING that holds whole octets, as keys and signatures do. */
export function decodeWholeBitString(content: Buffer): Buffer {
  if (content.length < 1 || content[0] !== 0) throw malformed('bit string with unused bits');
  return content.subarray(1);
}

/** The positions of the set bits of a named bit list, most significant first. */
export function decodeNamedBits(content: Buffer): readonly number[] {
  const unused = content[0];
  const bytes = content.subarray(1);
  if (unused === undefined || unused > 7 || (bytes.length === 0 && unused !== 0) || bytes.length > 8) throw malformed('named bits');
  const bits: number[] = [];
  bytes.forEach((byte, index) => {
    for (let bit = 0; bit < 8; bit++) if ((byte & (0x80 >> bit)) !== 0) bits.push(index * 8 + bit);
  });
  const last = bytes.at(-1) ?? 0;
  // X.690 11.2.2: trailing zero bits are removed, so the last used bit is set.
  if (bytes.length > 0 && (last & (1 << unused)) === 0) throw malformed('named bits with trailing zeros');
  if ((last & ((1 << unused) - 1)) !== 0) throw malformed('named bits with unused bits set');
  return bits;
}

/** Milliseconds since the epoch; RFC 5280 4.1.2.5 allows only the `Z` forms with seconds. */
export function decodeTime(element: DerElement): number {
  const isUtc = element.tag === Tag.utcTime;
  if (!isUtc && element.tag !== Tag.generalizedTime) throw malformed('time of an unknown type');
  const parts = (isUtc ? UTC_TIME : GENERALIZED_TIME).exec(element.content.toString('latin1'));
  if (parts === null) throw malformed('time');
  const [shortYear = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.slice(1).map(Number);
  const year = isUtc ? shortYear + (shortYear >= 50 ? 1900 : 2000) : shortYear;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  const isReal = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hour < 24 && minute < 60 && second < 60;
  if (!isReal) throw malformed('time that does not exist');
  return date.getTime();
}
