import { LictorError } from '@lictor/protocol';
import { MAX_ENTRY_DEPTH } from '../fsm/codec-limits.ts';
import { packr } from './msgpack.ts';
import type { Steps } from './slices.ts';

/** What is encoded in one step, in bytes, about. Bytes longer than this are not copied. */
export const STEP_BYTES = 32 * 1024;
/** What a value costs beside its text or bytes, about: it stands for time as much as for bytes. */
const VALUE_BYTES = 8;
const FIXMAP = 0x80;
const FIXARRAY = 0x90;
const BYTES_32 = 0xc6;
const ARRAY_16 = 0xdc;
const ARRAY_32 = 0xdd;
const MAP_16 = 0xde;
const MAP_32 = 0xdf;

/** Whether encoding the value takes more than one step. Looks at no more of it than it needs to know that. */
export function isHeavy(value: unknown, stepBytes = STEP_BYTES): boolean {
  return weigh(value, stepBytes, 0) > stepBytes;
}

/**
 * The msgpack of a value in pieces, each of a bounded part of it: the same bytes, but for the size of heads, as `packr` gives in one go. Long
 * bytes are pieces by themselves: they have to stay as they are until they are sent. The value has to stay as it is until the last step.
 * @throws LictorError `too-large` when the pieces come to more than `maxBytes`
 */
export function* encodeSteps(value: unknown, maxBytes: number, stepBytes = STEP_BYTES): Steps<readonly Uint8Array[]> {
  const pieces = new Pieces(maxBytes);
  yield* encodeInto(pieces, value, stepBytes, 0);
  return pieces.all;
}

class Pieces {
  readonly all: Uint8Array[] = [];
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  add(piece: Uint8Array): void {
    this.#bytes += piece.length;
    if (this.#bytes > this.#maxBytes) throw new LictorError('too-large', `a value of more than ${this.#maxBytes} bytes`);
    this.all.push(piece);
  }
}

function* encodeInto(pieces: Pieces, value: unknown, stepBytes: number, depth: number): Steps<void> {
  if (depth > MAX_ENTRY_DEPTH) throw new LictorError('invalid-argument', 'a value that is nested too deeply');
  if (value instanceof Uint8Array && value.length > stepBytes) {
    pieces.add(head32(BYTES_32, value.length));
    pieces.add(value);
  } else if (Array.isArray(value)) yield* encodeList(pieces, value, stepBytes, depth);
  else if (isPlainObject(value)) yield* encodeMap(pieces, value, stepBytes, depth);
  else pieces.add(packr.pack(value));
  yield;
}

function* encodeList(pieces: Pieces, list: readonly unknown[], stepBytes: number, depth: number): Steps<void> {
  pieces.add(head32(ARRAY_32, list.length));
  let run: unknown[] = [];
  let runBytes = 0;
  // By position: holes are values as well.
  for (let position = 0; position < list.length; position++) {
    const item = list[position];
    const bytes = weigh(item, stepBytes, depth);
    if (runBytes + bytes > stepBytes && run.length > 0) {
      pieces.add(withoutHead(packr.pack(run)));
      run = [];
      runBytes = 0;
      yield;
    }
    if (bytes > stepBytes) yield* encodeInto(pieces, item, stepBytes, depth + 1);
    else {
      run.push(item);
      runBytes += bytes;
    }
  }
  if (run.length > 0) pieces.add(withoutHead(packr.pack(run)));
}

function* encodeMap(pieces: Pieces, map: Readonly<Record<string, unknown>>, stepBytes: number, depth: number): Steps<void> {
  const keys = Object.keys(map).filter((key) => map[key] !== undefined);
  pieces.add(head32(MAP_32, keys.length));
  let run: Record<string, unknown> = {};
  let runBytes = 0;
  const flush = (): void => {
    if (runBytes > 0) pieces.add(withoutHead(packr.pack(run)));
    run = {};
    runBytes = 0;
  };
  for (const key of keys) {
    const value = map[key];
    const bytes = VALUE_BYTES + key.length + weigh(value, stepBytes, depth);
    if (runBytes + bytes > stepBytes) {
      flush();
      yield;
    }
    // A key of the prototype's would not be one of the run's own.
    if (bytes > stepBytes || key === '__proto__') {
      flush();
      pieces.add(packr.pack(key));
      yield* encodeInto(pieces, value, stepBytes, depth + 1);
    } else {
      run[key] = value;
      runBytes += bytes;
    }
  }
  flush();
}

/** More than `enough` is as much as need be known. */
function weigh(value: unknown, enough: number, depth: number): number {
  if (typeof value === 'string') return VALUE_BYTES + value.length;
  if (typeof value !== 'object' || value === null) return VALUE_BYTES;
  if (value instanceof Uint8Array) return VALUE_BYTES + value.length;
  let bytes = VALUE_BYTES;
  if (depth > MAX_ENTRY_DEPTH) return bytes;
  if (Array.isArray(value)) {
    for (let position = 0; position < value.length && bytes <= enough; position++)
      bytes += weigh(value[position], enough - bytes, depth + 1);
  } else if (isPlainObject(value)) {
    for (const key in value) {
      bytes += key.length + weigh(value[key], enough - bytes, depth + 1);
      if (bytes > enough) return bytes;
    }
  }
  return bytes;
}

/** Others are left to msgpackr as they are. */
function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function head32(type: number, length: number): Uint8Array {
  const head = Buffer.of(type, 0, 0, 0, 0);
  head.writeUInt32BE(length, 1);
  return head;
}

/** The elements of an encoded list or map that fits into a step. */
function withoutHead(packed: Buffer): Uint8Array {
  const type = packed[0] ?? 0;
  if (type >= FIXMAP && type < FIXARRAY + 0x10) return packed.subarray(1);
  if (type === ARRAY_16 || type === MAP_16) return packed.subarray(3);
  throw new LictorError('internal', `a step that begins with 0x${type.toString(16)}`);
}
