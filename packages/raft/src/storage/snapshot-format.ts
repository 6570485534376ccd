import { crc32 } from 'node:zlib';
import type { SnapshotMeta } from '../core/entry.ts';
import { RaftError } from '../core/errors.ts';
import { newerFormat } from './newer-format.ts';
import { decodeMembership, encodeMembership } from '../core/membership.ts';

/**
 * A snapshot file is a sequence of frames: type u8, length u32, checksum u32, payload. The first is the header (magic, version, index,
 * term, membership), then data, and the footer with the number of data bytes. Each checksum goes on from the one before: frames of two
 * snapshots do not mix, and the footer's covers everything.
 */
const MAGIC = 0x4c524654; // 'LRFT'
const VERSION = 1;
const FRAME_HEADER_BYTES = 9;
export const MAX_DATA_BYTES = 256 * 1024;
const MAX_FRAME_BYTES = 1024 * 1024;
const HEADER = 1;
const DATA = 2;
const FOOTER = 3;

/** Builds the frames of one file. */
export class SnapshotEncoder {
  #checksum = 0;
  #dataBytes = 0;

  header(meta: SnapshotMeta): Uint8Array {
    const membership = encodeMembership(meta.membership);
    const payload = Buffer.allocUnsafe(24 + membership.length);
    payload.writeUInt32BE(MAGIC, 0);
    payload.writeUInt32BE(VERSION, 4);
    payload.writeBigUInt64BE(BigInt(meta.index), 8);
    payload.writeBigUInt64BE(BigInt(meta.term), 16);
    payload.set(membership, 24);
    return this.#frame(HEADER, payload);
  }

  data(bytes: Uint8Array): Uint8Array {
    this.#dataBytes += bytes.length;
    return this.#frame(DATA, bytes);
  }

  footer(): Uint8Array {
    const payload = Buffer.allocUnsafe(8);
    payload.writeBigUInt64BE(BigInt(this.#dataBytes));
    return this.#frame(FOOTER, payload);
  }

  #frame(type: number, payload: Uint8Array): Uint8Array {
    const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + payload.length);
    frame.writeUInt8(type, 0);
    frame.writeUInt32BE(payload.length, 1);
    frame.set(payload, FRAME_HEADER_BYTES);
    this.#checksum = checksumOf(this.#checksum, frame);
    frame.writeUInt32BE(this.#checksum, 5);
    return frame;
  }
}

export interface Frame {
  readonly frame: Uint8Array;
  /** Of a data frame. */
  readonly data: Uint8Array | undefined;
}

/** Takes a file's bytes as they come. @throws RaftError `corrupt` for the first frame that is wrong */
export class SnapshotDecoder {
  meta: SnapshotMeta | undefined;
  /** The footer has been read, and nothing may follow. */
  isComplete = false;
  /** Bytes of whole, verified frames. */
  verifiedBytes = 0;
  #checksum = 0;
  #dataBytes = 0;
  #rest: Buffer = Buffer.alloc(0);

  /** Whole frames, in order: as they are in the file, and what data they carry. */
  *push(bytes: Uint8Array): Generator<Frame> {
    const incoming = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#rest = this.#rest.length === 0 ? incoming : Buffer.concat([this.#rest, incoming]);
    while (this.#rest.length >= FRAME_HEADER_BYTES) {
      const length = this.#rest.readUInt32BE(1);
      if (length > MAX_FRAME_BYTES) throw this.#damaged('a length');
      const end = FRAME_HEADER_BYTES + length;
      if (this.#rest.length < end) break;
      const frame = this.#rest.subarray(0, end);
      this.#rest = this.#rest.subarray(end);
      const data = this.#take(frame);
      this.verifiedBytes += frame.length;
      yield { frame, data };
    }
    // What is left must not hold on to, or change with, the caller's buffer.
    this.#rest = Buffer.from(this.#rest);
  }

  #take(frame: Buffer): Uint8Array | undefined {
    const type = frame.readUInt8(0);
    const payload = frame.subarray(FRAME_HEADER_BYTES);
    const checksum = checksumOf(this.#checksum, frame);
    if (this.isComplete || frame.readUInt32BE(5) !== checksum) throw this.#damaged('a checksum');
    if ((type === HEADER) !== (this.meta === undefined)) throw this.#damaged('the header');
    this.#checksum = checksum;
    if (type === HEADER) {
      this.meta = this.#readMeta(payload);
      return undefined;
    }
    if (type === DATA) {
      this.#dataBytes += payload.length;
      return payload;
    }
    if (type !== FOOTER || payload.length !== 8 || payload.readBigUInt64BE() !== BigInt(this.#dataBytes)) throw this.#damaged('the footer');
    this.isComplete = true;
    return undefined;
  }

  #readMeta(payload: Buffer): SnapshotMeta {
    if (payload.length < 24 || payload.readUInt32BE(0) !== MAGIC) throw this.#damaged('the magic number');
    const version = payload.readUInt32BE(4);
    if (version > VERSION) throw newerFormat('the raft snapshot', version, VERSION);
    if (version !== VERSION) throw this.#damaged('the version');
    const index = Number(payload.readBigUInt64BE(8));
    const term = Number(payload.readBigUInt64BE(16));
    if (!Number.isSafeInteger(index) || !Number.isSafeInteger(term)) throw this.#damaged('the place in the log');
    return { index, term, membership: decodeMembership(payload.subarray(24)) };
  }

  #damaged(what: string): RaftError {
    return new RaftError('corrupt', `the snapshot is damaged at byte ${this.verifiedBytes}: ${what} is wrong`);
  }
}

/** Of type, length and payload, going on from the frame before. */
function checksumOf(previous: number, frame: Buffer): number {
  return crc32(frame.subarray(FRAME_HEADER_BYTES), crc32(frame.subarray(0, 5), previous));
}
