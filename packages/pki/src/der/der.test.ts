import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PkiError } from '../errors.ts';
import { checkCanonical } from './canonical.ts';
import { DerReader, readSingle } from './reader.ts';
import { Tag } from './tags.ts';
import { decodeBoolean, decodeNamedBits, decodeOid, decodeTime, decodeUnsigned } from './values.ts';
import * as write from './writer.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** Everything but a PkiError is a bug: a throw of another class, or a hang that the runner's time limit turns into a failure. */
function expectOnlyPkiError(action: () => unknown): void {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(PkiError);
  }
}

describe('reading DER strictly (X.690)', () => {
  it.each([
    ['indefinite length', '30 80 00 00'],
    ['length longer than needed', '30 81 05 02 01 01 02 00'],
    ['length with leading zero', '30 82 00 80'],
    ['element past its end', '30 05 02 01'],
    ['multi-byte tag', '3f 81 01 00'],
    ['trailing bytes', '05 00 00'],
    ['nothing', ''],
    ['half a header', '30'],
    ['padded integer', '02 02 00 01'],
    ['length of five octets', '30 85 00 00 00 00 01 00'],
  ])('refuses %s', (_, bytes) => {
    expect(() => checkCanonical(hex(bytes))).toThrow(PkiError);
    expect(() => readSingle(hex(bytes), Tag.sequence)).toThrow(PkiError);
  });

  it('refuses deep nesting without recursing into it (CVE-2025-66031)', () => {
    let bytes: Buffer = Buffer.from([0x05, 0x00]);
    for (let depth = 0; depth < 20; depth++) bytes = Buffer.concat([Buffer.from([0x30, bytes.length]), bytes]);
    expect(() => checkCanonical(bytes)).toThrow('nested too deep');
  });

  it('reads what the writer wrote', () => {
    const reader = new DerReader(write.encodeDer(write.sequence(write.integer(128), write.boolean(true))));
    const inner = reader.enter(Tag.sequence);
    expect(decodeUnsigned(inner.read(Tag.integer).content).toString('hex')).toBe('80');
    expect(decodeBoolean(inner.read(Tag.boolean).content)).toBe(true);
    inner.end();
  });
});

describe('values', () => {
  it('refuses object identifiers whose arcs would be truncated (CVE-2025-66030)', () => {
    expect(decodeOid(hex('2b 06 01 05 05 07 03 01'))).toBe('1.3.6.1.5.5.7.3.1');
    expect(() => decodeOid(hex('55 90 80 80 80 1d 0f'))).toThrow(PkiError);
    expect(() => decodeOid(hex('55 80 1d'))).toThrow('not minimal');
    expect(() => decodeOid(hex('55 9d'))).toThrow('ends inside');
  });

  it('takes booleans of 00 and ff only', () => {
    expect(() => decodeBoolean(hex('01'))).toThrow(PkiError);
  });

  it('refuses negative and padded integers', () => {
    expect(() => decodeUnsigned(hex('80'))).toThrow('negative');
    expect(() => decodeUnsigned(hex('00 01'))).toThrow('not minimal');
  });

  it('round-trips named bits and refuses trailing zeros', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 8 })), (bits) => {
        const sorted = bits.toSorted((a, b) => a - b);
        expect(decodeNamedBits(readSingle(write.encodeDer(write.namedBits(bits)), Tag.bitString).content)).toEqual(sorted);
      }),
    );
    expect(() => decodeNamedBits(hex('00 80'))).toThrow('trailing zeros');
    expect(() => decodeNamedBits(hex('07 ff'))).toThrow('unused bits');
  });

  it('writes and reads times, with four-digit years from 2050', () => {
    for (const atMs of [Date.UTC(2026, 10, 21, 5, 49, 11), Date.UTC(2049, 11, 31, 23, 59, 59), Date.UTC(2050, 0, 1)]) {
      const element = new DerReader(write.encodeDer(write.time(atMs))).readAny();
      expect(element.tag).toBe(atMs < Date.UTC(2050, 0, 1) ? Tag.utcTime : Tag.generalizedTime);
      expect(decodeTime(element)).toBe(atMs);
    }
  });

  it.each(['2611210549Z', '261121054911+0000', '261321054911Z', '260230000000Z', '261121054960Z'])('refuses the time %s', (text) => {
    expect(() => decodeTime({ tag: Tag.utcTime, content: Buffer.from(text), raw: Buffer.alloc(0) })).toThrow(PkiError);
  });
});

describe('hostile bytes', () => {
  it('never throw anything but PkiError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => expectOnlyPkiError(() => checkCanonical(Buffer.from(bytes)))),
      { numRuns: 5000 },
    );
  });

  it('are accepted only when writing them again gives the same bytes', () => {
    const base = write.encodeDer(write.sequence(write.integer(5), write.set(write.oid('1.2.3.4'), write.boolean(true))));
    fc.assert(
      fc.property(fc.nat(base.length - 1), fc.integer({ min: 0, max: 255 }), (position, byte) => {
        const mutant = Buffer.from(base);
        mutant[position] = byte;
        expectOnlyPkiError(() => checkCanonical(mutant));
      }),
      { numRuns: 2000 },
    );
  });
});
