import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PkiError } from '../errors.ts';
import { decodeFirstPem, decodePem, encodePem, MAX_PEM_BYTES, splitPemBundle } from './pem.ts';

describe('PEM (RFC 7468)', () => {
  it('round-trips any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (bytes) => {
        expect(decodePem(encodePem('CERTIFICATE', bytes))).toEqual([{ label: 'CERTIFICATE', der: Buffer.from(bytes) }]);
      }),
    );
  });

  it('splits a bundle, text between the blocks ignored', () => {
    const bundle = `# leaf\n${encodePem('CERTIFICATE', Buffer.from('a'))}\r\nissuer\n${encodePem('CERTIFICATE', Buffer.from('b'))}`;
    expect(splitPemBundle(bundle).map(String)).toEqual(['a', 'b']);
  });

  it('refuses a key among certificates', () => {
    const mixed = encodePem('CERTIFICATE', Buffer.from('a')) + encodePem('EC PRIVATE KEY', Buffer.from('b'));
    expect(() => splitPemBundle(mixed)).toThrow('PEM-block should be CERTIFICATE type');
  });

  it('says what is missing in Consul words', () => {
    expect(() => decodeFirstPem('hello', 'CERTIFICATE REQUEST')).toThrow('no PEM-encoded data found');
    expect(() => decodeFirstPem(encodePem('CERTIFICATE', Buffer.from('a')), 'CERTIFICATE REQUEST')).toThrow(
      'first PEM-block should be CERTIFICATE REQUEST type',
    );
  });

  it.each([
    '-----BEGIN CERTIFICATE-----\nAAAA\n',
    '-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----',
    '-----BEGIN CERTIFICATE-----\nAAA\n-----END CERTIFICATE-----',
    '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----',
    '-----BEGIN \u0000-----\nAAAA\n-----END \u0000-----',
    '-----BEGIN ',
  ])('refuses %j', (text) => {
    expect(() => decodePem(text)).toThrow(PkiError);
  });

  it('refuses what is too large or has too many blocks before decoding it', () => {
    expect(() => decodePem('-'.repeat(MAX_PEM_BYTES + 1))).toThrow('over');
    expect(() => decodePem(encodePem('CERTIFICATE', Buffer.from('a')).repeat(65))).toThrow('more than 64');
  });

  it('never throws anything but PkiError', () => {
    const pieces = fc.constantFrom('-----BEGIN ', '-----END ', '-----', 'CERTIFICATE', '\n', 'AAAA', '=', ' ', 'x');
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
        try {
          decodePem(parts.join(''));
        } catch (error) {
          expect(error).toBeInstanceOf(PkiError);
        }
      }),
      { numRuns: 5000 },
    );
  });
});
