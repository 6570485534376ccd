import { LictorError } from '@lictor/protocol';
import { MAX_FRAME_BYTES, MIN_PART_BYTES } from './limits.ts';
import { KIND, type Kind } from './protocol.ts';

/** What a record brings of its value. */
export type Part = 'whole' | 'first' | 'middle' | 'last';

/**
 * A frame is a list of records: kind and part (1 byte), the call's id and the length of what follows (4 bytes each, big endian), then a
 * msgpack value or a part of one. A first part begins with the length of the whole value, 4 bytes.
 */
export interface FrameRecord {
  readonly kind: Kind;
  readonly part: Part;
  readonly id: number;
  /** A view into the frame. */
  readonly body: Uint8Array;
  /** Of the whole value, as a first part says it; otherwise of this body. */
  readonly valueBytes: number;
}

export const HEADER_BYTES = 9;
const VALUE_LENGTH_BYTES = 4;
export const MAX_CALL_ID = 0xffff_ffff;
const PARTS: readonly Part[] = ['whole', 'first', 'middle', 'last'];
const PART_SHIFT = 6;
const KIND_MASK = 0x3f;
const KINDS: ReadonlyMap<number, Kind> = new Map(Object.values(KIND).map((kind) => [kind, kind]));

export function encodeFrame(records: readonly FrameRecord[]): Buffer {
  let bytes = 0;
  for (const record of records) bytes += HEADER_BYTES + contentBytes(record);
  const frame = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (const record of records) {
    const { kind, part, id, body, valueBytes } = record;
    frame[at] = kind | (PARTS.indexOf(part) << PART_SHIFT);
    at = frame.writeUInt32BE(id, at + 1);
    at = frame.writeUInt32BE(contentBytes(record), at);
    if (part === 'first') at = frame.writeUInt32BE(valueBytes, at);
    frame.set(body, at);
    at += body.length;
  }
  return frame;
}

/** @throws LictorError `invalid-argument`: the stream that brought it is not to be trusted */
export function decodeFrame(frame: Buffer): readonly FrameRecord[] {
  if (frame.length > MAX_FRAME_BYTES) throw garbage(`a frame of ${frame.length} bytes`);
  const records: FrameRecord[] = [];
  let at = 0;
  while (at < frame.length) {
    if (at + HEADER_BYTES > frame.length) throw garbage('a cut header');
    const head = frame[at] ?? 0;
    const kind = KINDS.get(head & KIND_MASK);
    const part = PARTS[head >> PART_SHIFT];
    if (kind === undefined || part === undefined) throw garbage('an unknown kind of record');
    const id = frame.readUInt32BE(at + 1);
    let start = at + HEADER_BYTES;
    at = start + frame.readUInt32BE(at + 5);
    if (at > frame.length) throw garbage('a cut record');
    if ((part === 'first' || part === 'middle') && at - start < MIN_PART_BYTES) throw garbage('a part that is too small');
    let valueBytes = at - start;
    if (part === 'first') {
      valueBytes = frame.readUInt32BE(start);
      start += VALUE_LENGTH_BYTES;
    }
    records.push({ kind, part, id, body: frame.subarray(start, at), valueBytes });
  }
  return records;
}

export function garbage(what: string): LictorError {
  return new LictorError('invalid-argument', `not a frame of calls: ${what}`);
}

function contentBytes({ part, body }: FrameRecord): number {
  return part === 'first' ? body.length + VALUE_LENGTH_BYTES : body.length;
}
