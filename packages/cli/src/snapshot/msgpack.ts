import { Buffer } from 'node:buffer';

/** Bytes ran out in the middle of a value. */
export const INCOMPLETE = -1;

/** Sizes of the values whose first byte says them all: [payload bytes] or [length bytes, extra]. */
const FIXED: Readonly<Record<number, number>> = {
  0xc0: 0,
  0xc2: 0,
  0xc3: 0,
  0xca: 4,
  0xcb: 8,
  0xcc: 1,
  0xcd: 2,
  0xce: 4,
  0xcf: 8,
  0xd0: 1,
  0xd1: 2,
  0xd2: 4,
  0xd3: 8,
  0xd4: 2,
  0xd5: 3,
  0xd6: 5,
  0xd7: 9,
  0xd8: 17,
};
/** Strings, binaries and extensions: how many bytes say the length, and how many more belong to the value. */
const COUNTED: Readonly<Record<number, readonly [lengthBytes: number, extraBytes: number]>> = {
  0xc4: [1, 0],
  0xc5: [2, 0],
  0xc6: [4, 0],
  0xc7: [1, 1],
  0xc8: [2, 1],
  0xc9: [4, 1],
  0xd9: [1, 0],
  0xda: [2, 0],
  0xdb: [4, 0],
};

interface Head {
  /** Where the head and its payload end. */
  readonly end: number;
  /** Values that belong to this one and follow it: members of arrays, keys and values of maps. */
  readonly members: number;
}

/** Where the msgpack value at `start` ends, or INCOMPLETE. Decodes nothing, so hostile nesting costs nothing. @throws Error for bytes that are none */
export function skipValue(bytes: Uint8Array, start: number): number {
  let position = start;
  for (let pending = 1; pending > 0; pending--) {
    const head = readHead(bytes, position);
    if (head === undefined || head.end > bytes.length) return INCOMPLETE;
    position = head.end;
    pending += head.members;
  }
  return position;
}

/** The text under `key` in the map at `start`, which must be complete; undefined when there is none. */
export function readStringMember(bytes: Uint8Array, start: number, key: string): string | undefined {
  const map = readHead(bytes, start);
  if (map === undefined) return undefined;
  let position = map.end;
  for (let member = 0; member + 1 < map.members; member += 2) {
    const value = skipValue(bytes, position);
    const end = skipValue(bytes, value);
    if (readString(bytes, position) === key) return readString(bytes, value);
    position = end;
  }
  return undefined;
}

function readString(bytes: Uint8Array, start: number): string | undefined {
  const type = bytes[start] ?? 0;
  const head = readHead(bytes, start);
  if (head === undefined) return undefined;
  if (type >= 0xa0 && type <= 0xbf) return text(bytes, start + 1, head.end);
  const counted = COUNTED[type];
  if (counted === undefined || (type >= 0xc7 && type <= 0xc9)) return undefined;
  return text(bytes, start + 1 + counted[0], head.end);
}

function text(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8');
}

function readHead(bytes: Uint8Array, start: number): Head | undefined {
  const type = bytes[start];
  if (type === undefined) return undefined;
  const next = start + 1;
  if (type <= 0x7f || type >= 0xe0) return { end: next, members: 0 };
  if (type <= 0x8f) return { end: next, members: (type & 0x0f) * 2 };
  if (type <= 0x9f) return { end: next, members: type & 0x0f };
  if (type <= 0xbf) return { end: next + (type & 0x1f), members: 0 };
  const fixed = FIXED[type];
  if (fixed !== undefined) return { end: next + fixed, members: 0 };
  const counted = COUNTED[type];
  if (counted !== undefined) return countedHead(bytes, next, counted);
  if (type >= 0xdc && type <= 0xdf) return containerHead(bytes, type, next);
  throw new Error(`invalid msgpack byte 0x${type.toString(16)}`);
}

function countedHead(bytes: Uint8Array, next: number, [lengthBytes, extraBytes]: readonly [number, number]): Head | undefined {
  const length = readLength(bytes, next, lengthBytes);
  return length === undefined ? undefined : { end: next + lengthBytes + extraBytes + length, members: 0 };
}

function containerHead(bytes: Uint8Array, type: number, next: number): Head | undefined {
  const lengthBytes = type === 0xdc || type === 0xde ? 2 : 4;
  const count = readLength(bytes, next, lengthBytes);
  return count === undefined ? undefined : { end: next + lengthBytes, members: type >= 0xde ? count * 2 : count };
}

function readLength(bytes: Uint8Array, start: number, lengthBytes: number): number | undefined {
  if (start + lengthBytes > bytes.length) return undefined;
  let length = 0;
  for (let index = 0; index < lengthBytes; index++) length = length * 256 + (bytes[start + index] ?? 0);
  return length;
}
