import { crc32 } from 'node:zlib';
import { MAX_ENTRY_BYTES } from '../../fsm/codec-limits.ts';

/** checksum u32, length u32; then the payload. The checksum covers the index too: a record in another's place is damage. */
const HEADER_BYTES = 8;

export function encodeRecord(index: number, payload: Uint8Array): Uint8Array {
  const record = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
  record.writeUInt32BE(payload.length, 4);
  record.set(payload, HEADER_BYTES);
  record.writeUInt32BE(checksumOf(index, record), 0);
  return record;
}

/** The payload, or undefined for a damaged record (CVE-2020-15106, CVE-2020-15112: lengths are checked before they are used). */
export function decodeRecord(index: number, record: Uint8Array): Uint8Array | undefined {
  const view = Buffer.from(record.buffer, record.byteOffset, record.byteLength);
  if (view.length < HEADER_BYTES) return undefined;
  const length = view.readUInt32BE(4);
  if (length > MAX_ENTRY_BYTES || length !== view.length - HEADER_BYTES) return undefined;
  if (view.readUInt32BE(0) !== checksumOf(index, view)) return undefined;
  return view.subarray(HEADER_BYTES);
}

function checksumOf(index: number, record: Buffer): number {
  const key = Buffer.allocUnsafe(8);
  key.writeBigUInt64BE(BigInt(index));
  return crc32(record.subarray(4), crc32(key));
}
