import type { asn1 as Asn1Types } from 'node-forge';
import asn1 from 'node-forge/lib/asn1.js';

/** A value to be encoded; opaque outside this folder. */
export type DerValue = Asn1Types.Asn1;

const { Class, Type } = asn1;
/** RFC 5280 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050. */
const FIRST_GENERALIZED_YEAR = 2050;
const MAX_DEPTH = 32;

export function encodeDer(value: DerValue): Buffer {
  return Buffer.from(asn1.toDer(value).getBytes(), 'latin1');
}

/** Something already encoded: a key, a name or an extension taken from elsewhere. */
export function encoded(der: Uint8Array): DerValue {
  return asn1.fromDer(binary(der), { strict: true, parseAllBytes: true, decodeBitStrings: false, maxDepth: MAX_DEPTH });
}

export function sequence(...values: readonly DerValue[]): DerValue {
  return asn1.create(Class.UNIVERSAL, Type.SEQUENCE, true, [...values]);
}

export function set(...values: readonly DerValue[]): DerValue {
  return asn1.create(Class.UNIVERSAL, Type.SET, true, [...values]);
}

export function oid(dotted: string): DerValue {
  return asn1.create(Class.UNIVERSAL, Type.OID, false, asn1.oidToDer(dotted).getBytes());
}

export function nullValue(): DerValue {
  return asn1.create(Class.UNIVERSAL, Type.NULL, false, '');
}

export function boolean(value: boolean): DerValue {
  return asn1.create(Class.UNIVERSAL, Type.BOOLEAN, false, value ? '\u00ff' : '\u0000');
}

/** A non-negative integer. */
export function integer(value: number | bigint): DerValue {
  const hex = BigInt(value).toString(16);
  const even = hex.length % 2 === 0 ? hex : `0${hex}`;
  const bytes = Buffer.from(/^[89a-f]/.test(even) ? `00${even}` : even, 'hex');
  return asn1.create(Class.UNIVERSAL, Type.INTEGER, false, binary(bytes));
}

export function octetString(bytes: Uint8Array): DerValue {
  return asn1.create(Class.UNIVERSAL, Type.OCTETSTRING, false, binary(bytes));
}

/** Whole octets. */
export function bitString(bytes: Uint8Array): DerValue {
  return asn1.create(Class.UNIVERSAL, Type.BITSTRING, false, `\u0000${binary(bytes)}`);
}

/** A named bit list below 16 bits, by bit positions. */
export function namedBits(positions: readonly number[]): DerValue {
  const bytes = [0, 0];
  for (const position of positions) bytes[position >> 3] = (bytes[position >> 3] ?? 0) | (0x80 >> (position & 7));
  if (bytes[1] === 0) bytes.pop();
  const last = bytes.at(-1) ?? 0;
  const trailingZeros = 31 - Math.clz32(last & -last);
  const content = last === 0 ? Buffer.from([0]) : Buffer.from([trailingZeros, ...bytes]);
  return asn1.create(Class.UNIVERSAL, Type.BITSTRING, false, binary(content));
}

export function utf8String(text: string): DerValue {
  return asn1.create(Class.UNIVERSAL, Type.UTF8, false, binary(Buffer.from(text)));
}

export function printableString(text: string): DerValue {
  return asn1.create(Class.UNIVERSAL, Type.PRINTABLESTRING, false, text);
}

export function time(atMs: number): DerValue {
  const date = new Date(atMs);
  return date.getUTCFullYear() < FIRST_GENERALIZED_YEAR
    ? asn1.create(Class.UNIVERSAL, Type.UTCTIME, false, asn1.dateToUtcTime(date))
    : asn1.create(Class.UNIVERSAL, Type.GENERALIZEDTIME, false, asn1.dateToGeneralizedTime(date));
}

/** `[number] IMPLICIT` over primitive bytes. */
export function contextPrimitive(number: number, bytes: Uint8Array): DerValue {
  return asn1.create(Class.CONTEXT_SPECIFIC, number, false, binary(bytes));
}

export function contextConstructed(number: number, ...values: readonly DerValue[]): DerValue {
  return asn1.create(Class.CONTEXT_SPECIFIC, number, true, [...values]);
}

function binary(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
