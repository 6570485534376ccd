import { LictorError } from '@lictor/protocol';
import { MAX_FRAME_BYTES, MIN_PART_BYTES } from './limits.ts';
import { KIND, type Kind } from './protocol.ts';

/**
 * A frame is a list of records: kind (1 byte, with `MORE` when further parts of the same value follow), the call's id and the
 * length of what follows (4 bytes each, big endian), then a msgpack value or a part of one.
 */
export interface FrameRecord {
  readonly kind: Kind;
  readonly id: number;
  /** A view into the frame. */
  readonly body: Uint8Array;
  readonly hasMore: boolean;
}

export const HEADER_BYTES = 9;
export const MAX_CALL_ID = 0xffff_ffff;
const MORE = 0x80;
const KINDS: ReadonlyMap<number, Kind> = new Map(Object.values(KIND).map((kind) => [kind, kind]));

export function encodeFrame(records: readonly FrameRecord[]): Buffer {
  let bytes = 0;
  for (const { body } of records) bytes += HEADER_BYTES + body.length;
  const frame = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (const { kind, id, body, hasMore } of records) {
    frame[at] = hasMore ? kind | MORE : kind;
    frame.writeUInt32BE(id, at + 1);
    frame.writeUInt32BE(body.length, at + 5);
    frame.set(body, at + HEADER_BYTES);
    at += HEADER_BYTES + body.length;
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
    const kind = KINDS.get(head & ~MORE);
    if (kind === undefined) throw garbage('an unknown kind of record');
    const id = frame.readUInt32BE(at + 1);
    const start = at + HEADER_BYTES;
    at = start + frame.readUInt32BE(at + 5);
    if (at > frame.length) throw garbage('a cut record');
    const hasMore = (head & MORE) !== 0;
    if (hasMore && at - start < MIN_PART_BYTES) throw garbage('a part that is too small');
    records.push({ kind, id, body: frame.subarray(start, at), hasMore });
  }
  return records;
}

export function garbage(what: string): LictorError {
  return new LictorError('invalid-argument', `not a frame of calls: ${what}`);
}
