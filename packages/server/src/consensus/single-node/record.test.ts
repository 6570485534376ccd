import fc from 'fast-check';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { MAX_ENTRY_BYTES } from '../../fsm/codec-limits.ts';
import { decodeRecord, encodeRecord } from './record.ts';

/** A record as a forger would write it: any length in its header, and a checksum that fits. */
function forged(index: number, announced: number, payload: Uint8Array): Buffer {
  const record = Buffer.alloc(8 + payload.length);
  record.writeUInt32BE(announced >>> 0, 4);
  record.set(payload, 8);
  const key = Buffer.alloc(8);
  key.writeBigUInt64BE(BigInt(index));
  record.writeUInt32BE(crc32(record.subarray(4), crc32(key)), 0);
  return record;
}

const indexes = fc.nat({ max: 2 ** 31 });

describe('a record of the log (etcd CVE-2020-15106, CVE-2020-15112)', () => {
  it('gives back what was written', () => {
    fc.assert(
      fc.property(indexes, fc.uint8Array({ maxLength: 300 }), (index, payload) => {
        expect(Buffer.from(decodeRecord(index, encodeRecord(index, payload)) ?? [1, 2])).toEqual(Buffer.from(payload));
      }),
    );
  });

  it('with a forged length is refused although its checksum fits', () => {
    expect(decodeRecord(7, forged(7, 5, Buffer.from('hello')))?.toString()).toBe('hello');
    for (const length of [0, 4, 6, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, -5, 2 ** 32 + 5 - 1])
      expect(decodeRecord(7, forged(7, length, Buffer.from('hello')))).toBeUndefined();
  });

  it('longer than any command may be is refused before anything is made of it', () => {
    const payload = Buffer.alloc(MAX_ENTRY_BYTES + 1);
    expect(decodeRecord(7, forged(7, payload.length, payload))).toBeUndefined();
  });

  it('shorter than its header, in the place of another, or with any bit changed is refused', () => {
    for (let length = 0; length < 8; length++) expect(decodeRecord(1, Buffer.alloc(length))).toBeUndefined();
    fc.assert(
      fc.property(indexes, fc.uint8Array({ maxLength: 64 }), fc.nat(), fc.nat(7), (index, payload, at, bit) => {
        const record = Buffer.from(encodeRecord(index, payload));
        expect(decodeRecord(index + 1, record)).toBeUndefined();
        record[at % record.length] = (record[at % record.length] ?? 0) ^ (1 << bit);
        expect(decodeRecord(index, record)).toBeUndefined();
      }),
      { numRuns: 1_000 },
    );
  });

  it('of random bytes never throws', () => {
    fc.assert(
      fc.property(indexes, fc.uint8Array({ maxLength: 64 }), (index, bytes) => {
        expect(decodeRecord(index, bytes)).toBeUndefined();
      }),
      { numRuns: 2_000 },
    );
  });
});
