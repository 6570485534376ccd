/** Identifier octets of X.690 as they stand in certificates and requests. */
export const Tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

const CONTEXT = 0x80;
const CONSTRUCTED = 0x20;

/** `[number] IMPLICIT` of a primitive type. */
export function contextTag(number: number): number {
  return CONTEXT | number;
}

/** `[number]` around or instead of a constructed type. */
export function contextConstructedTag(number: number): number {
  return CONTEXT | CONSTRUCTED | number;
}

export function isConstructed(tag: number): boolean {
  return (tag & CONSTRUCTED) !== 0;
}
