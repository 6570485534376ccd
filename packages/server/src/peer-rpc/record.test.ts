import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_FRAME_BYTES, MIN_PART_BYTES } from './limits.ts';
import { KIND } from './protocol.ts';
import { decodeFrame, encodeFrame, type FrameRecord, HEADER_BYTES } from './record.ts';

const record: fc.Arbitrary<FrameRecord> = fc
  .record({
    kind: fc.constantFrom(...Object.values(KIND)),
    part: fc.constantFrom('whole' as const, 'last' as const),
    id: fc.nat(0xffff_ffff),
    body: fc.uint8Array({ maxLength: 64 }),
  })
  .map((each) => ({ ...each, valueBytes: each.body.length }));

describe('a frame', () => {
  it('gives back the records that were put in, in order', () => {
    fc.assert(
      fc.property(fc.array(record), (records) => {
        const decoded = decodeFrame(encodeFrame(records));
        expect(decoded.map((each) => ({ ...each, body: new Uint8Array(each.body) }))).toEqual(records);
      }),
    );
  });

  it('is refused when it is cut anywhere but between records', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1 }), fc.nat(), (records, at) => {
        const frame = encodeFrame(records);
        const cut = at % frame.length;
        const isBetween = cut === 0 || boundaries(records).has(cut);
        const decode = (): unknown => decodeFrame(frame.subarray(0, cut));
        if (isBetween) expect(decode).not.toThrow();
        else expect(decode).toThrow(/a cut (header|record)/);
      }),
    );
  });

  it('of any bytes is decoded or refused, never more', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 256 }), (bytes) => {
        try {
          const records = decodeFrame(Buffer.from(bytes));
          expect(Buffer.compare(encodeFrame(records), Buffer.from(bytes))).toBe(0);
        } catch (thrown) {
          expect(thrown).toMatchObject({ name: 'LictorError', code: 'invalid-argument' });
        }
      }),
      { numRuns: 5000 },
    );
  });

  it('is refused when too large, before it is looked at', () => {
    expect(() => decodeFrame(Buffer.alloc(MAX_FRAME_BYTES + 1))).toThrow(/a frame of \d+ bytes/);
  });

  it('may not consist of parts so small that keeping them costs more than they hold', () => {
    const middle = (size: number): Buffer =>
      encodeFrame([{ kind: KIND.request, part: 'middle', id: 1, body: new Uint8Array(size), valueBytes: size }]);
    expect(decodeFrame(middle(MIN_PART_BYTES))).toHaveLength(1);
    expect(() => decodeFrame(middle(MIN_PART_BYTES - 1))).toThrow(/too small/);
  });

  it('says with a first part how long the whole value is', () => {
    const first: FrameRecord = { kind: KIND.reply, part: 'first', id: 7, body: Buffer.alloc(MIN_PART_BYTES, 1), valueBytes: 1_000_000 };
    expect(decodeFrame(encodeFrame([first]))).toEqual([first]);
  });
});

function boundaries(records: readonly FrameRecord[]): ReadonlySet<number> {
  let at = 0;
  return new Set(records.map(({ body }) => (at += HEADER_BYTES + body.length)));
}
