/**
 * Caps on a log entry, checked on its bytes before they are decoded (security.md 5.3, CVE-2023-52079: a decoder must never be
 * the one to find out that its input is hostile).
 */
export const MAX_ENTRY_BYTES = 2 * 1024 * 1024;
/** Config entries and filters nest a dozen deep at most. */
export const MAX_ENTRY_DEPTH = 64;
/** Maps, arrays and their elements in one entry: decoding work is bounded by this, not only by bytes. */
export const MAX_ENTRY_VALUES = 500_000;

const PROTO_KEY = Buffer.from('__proto__');

/** What is wrong with the bytes as one msgpack value of the kinds that Lictor writes; undefined when nothing is. */
export function checkMsgpack(bytes: Uint8Array, maxValues = MAX_ENTRY_VALUES): string | undefined {
  const end = measureMsgpack(bytes, 0, maxValues);
  if (typeof end === 'string') return end;
  return end === bytes.length ? undefined : 'bytes after the value';
}

/** How many values there were in what has been measured. */
export interface ValueCount {
  values: number;
}

/** Where the msgpack value that begins at `start` ends, without decoding it; text says why it is refused. */
export function measureMsgpack(bytes: Uint8Array, start: number, maxValues = MAX_ENTRY_VALUES, count?: ValueCount): number | string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  /** Values still to come at each open level; a map counts its keys too, so an even number of them is a key's turn. */
  const pending: number[] = [];
  const isMap: boolean[] = [];
  let position = start;
  let values = 0;
  do {
    if (position >= bytes.length) return 'truncated';
    if (++values > maxValues) return 'too many values';
    const level = pending.length - 1;
    const left = pending[level] ?? 0;
    const isKey = isMap[level] === true && (left & 1) === 0;
    if (level >= 0) pending[level] = left - 1;
    const head = readHead(view, bytes, position);
    if (typeof head === 'string') return head;
    if (head.end > bytes.length) return 'truncated';
    if (isKey) {
      if (!head.isString) return 'a map key is not a string';
      if (isProtoKey(bytes, head.start, head.end)) return 'the key __proto__ is refused';
    }
    position = head.end;
    if (head.children > 0) {
      if (pending.length >= MAX_ENTRY_DEPTH) return 'nested too deeply';
      if (head.children > bytes.length - position) return 'truncated';
      pending.push(head.children);
      isMap.push(head.isMap);
    }
    while (pending.at(-1) === 0) {
      pending.pop();
      isMap.pop();
    }
  } while (pending.length > 0);
  if (count !== undefined) count.values += values;
  return position;
}

/** The beginning of a value. */
export interface MsgpackHead {
  /** Where a string's bytes begin. */
  readonly start: number;
  /** Behind the head and its payload. */
  readonly end: number;
  /** Values within; keys count, too. */
  readonly children: number;
  readonly isMap: boolean;
  readonly isString: boolean;
}

/** Text says why it is refused. Its end may be beyond the bytes. */
export function readHead(view: DataView, bytes: Uint8Array, at: number): MsgpackHead | string {
  const type = bytes[at] ?? 0;
  if (type < 0x80 || type >= 0xe0) return scalar(at + 1);
  if (type < 0x90) return container(at + 1, (type & 0x0f) * 2, true);
  if (type < 0xa0) return container(at + 1, type & 0x0f, false);
  if (type < 0xc0) return text(at + 1, type & 0x1f);
  const sizeBytes = SIZE_BYTES[type];
  if (sizeBytes === undefined) {
    const length = FIXED_LENGTH[type];
    if (length !== undefined) return scalar(at + 1 + length);
    // msgpackr writes `undefined` as fixext 1 of type 0; every other extension is refused.
    if (type === 0xd4 && at + 3 > bytes.length) return 'truncated';
    if (type === 0xd4 && bytes[at + 1] === 0 && bytes[at + 2] === 0) return scalar(at + 3);
    return `type 0x${type.toString(16)} is refused`;
  }
  const start = at + 1 + sizeBytes;
  if (start > bytes.length) return 'truncated';
  const size = sizeBytes === 1 ? view.getUint8(at + 1) : sizeBytes === 2 ? view.getUint16(at + 1) : view.getUint32(at + 1);
  if (type <= 0xc6) return scalar(start + size);
  if (type <= 0xdb) return text(start, size);
  return type <= 0xdd ? container(start, size, false) : container(start, size * 2, true);
}

/** bin, str, array and map: how many bytes their size takes. */
const SIZE_BYTES: Readonly<Record<number, number>> = {
  0xc4: 1,
  0xc5: 2,
  0xc6: 4,
  0xd9: 1,
  0xda: 2,
  0xdb: 4,
  0xdc: 2,
  0xdd: 4,
  0xde: 2,
  0xdf: 4,
};

/** nil, booleans, floats and integers: how many bytes follow. */
const FIXED_LENGTH: Readonly<Record<number, number>> = {
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
};

function scalar(end: number): MsgpackHead {
  return { start: end, end, children: 0, isMap: false, isString: false };
}

function text(start: number, length: number): MsgpackHead {
  return { start, end: start + length, children: 0, isMap: false, isString: true };
}

function container(end: number, children: number, isMap: boolean): MsgpackHead {
  return { start: end, end, children, isMap, isString: false };
}

function isProtoKey(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start !== PROTO_KEY.length) return false;
  return PROTO_KEY.every((byte, offset) => bytes[start + offset] === byte);
}
