export { checkCanonical } from './canonical.ts';
export { Oid } from './oids.ts';
export { type DerElement, DerReader, enterSingle, malformed, readSingle } from './reader.ts';
export { contextConstructedTag, contextTag, Tag } from './tags.ts';
export {
  decodeBoolean,
  decodeNamedBits,
  decodeOid,
  decodeSmallInteger,
  decodeTime,
  decodeUnsigned,
  decodeWholeBitString,
} from './values.ts';
export * as write from './writer.ts';
export { encodeDer } from './writer.ts';
