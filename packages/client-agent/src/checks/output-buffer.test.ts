import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OutputBuffer } from './output-buffer.ts';

describe('the output ring (consul-facts T007)', () => {
  it('holds the last bytes, as a buffer that kept everything would give them', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 20 }), fc.integer({ min: 1, max: 40 }), (chunks, capacity) => {
        const ascii = chunks.map((chunk) => Buffer.from(chunk.map((byte) => byte & 0x7f)));
        const ring = new OutputBuffer(capacity);
        for (const chunk of ascii) ring.write(chunk);
        const all = Buffer.concat(ascii);
        expect(ring.toString()).toBe(all.subarray(Math.max(0, all.length - capacity)).toString());
        expect(ring.totalBytes).toBe(all.length);
      }),
    );
  });

  it('says what was cut', () => {
    const ring = new OutputBuffer(4);
    ring.write(Buffer.from('abcdef'));
    expect(ring.toCapturedText()).toBe('Captured 4 of 6 bytes\n...\ncdef');
  });
});
