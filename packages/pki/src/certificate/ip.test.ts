import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatIp, parseIp } from './ip.ts';

describe('IP addresses in certificates', () => {
  it('round-trip in the form of RFC 5952', () => {
    for (const text of ['127.0.0.1', '::', '::1', '1::', '2001:db8::1', '2001:db8:0:1:1:1:1:1', '1:2:3:4:5:6:7:8', '1:0:0:2::3']) {
      const bytes = parseIp(text);
      expect(bytes === undefined ? undefined : formatIp(bytes)).toBe(text);
    }
  });

  it('are written back as they were for any octets', () => {
    const octets = fc.oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 }));
    fc.assert(
      fc.property(octets, (bytes) => {
        const text = formatIp(Buffer.from(bytes)) ?? '';
        expect(isIP(text)).toBe(bytes.length === 4 ? 4 : 6);
        expect(parseIp(text)).toEqual(Buffer.from(bytes));
      }),
    );
  });

  it('are recognised exactly when Node does', () => {
    const piece = fc.constantFrom('0', '1', '255', '256', '01', 'ffff', 'fffff', 'g', '.', ':', '::', '');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 16 }), (parts) => {
        const text = parts.join('');
        expect(parseIp(text) !== undefined).toBe(isIP(text) !== 0);
      }),
      { numRuns: 20_000 },
    );
  });
});
