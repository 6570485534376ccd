import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeCommand, encodeCommand, encodeValue } from './codec.ts';
import { checkMsgpack, MAX_ENTRY_BYTES, MAX_ENTRY_DEPTH, measureMsgpack } from './codec-limits.ts';

const command = (body: unknown): { type: string; version: number; timeMs: number; body: unknown } => ({
  type: 't',
  version: 1,
  timeMs: 5,
  body,
});

/** What command bodies are made of. */
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 5 },
    fc.string(),
    // -0 is stored as 0, on every server.
    fc.double({ noNaN: true }).map((number) => number + 0),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }),
    fc.boolean(),
    fc.constant(null),
    fc.constant(undefined),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    fc.array(tie('any')),
    fc.dictionary(
      fc.string().filter((key) => key !== '__proto__'),
      tie('any'),
    ),
  ),
})).any;

describe('the command codec', () => {
  it('gives back what was encoded', () => {
    fc.assert(
      fc.property(value, (body) => {
        fc.pre(body !== undefined);
        expect(decodeCommand(encodeCommand(command(body)))).toEqual(command(body));
      }),
    );
  });

  it('stores values that share no memory with the log entry', () => {
    const bytes = encodeCommand(command({ value: Buffer.from('secret') }));
    const decoded = decodeCommand(bytes).body as { value: Uint8Array };
    bytes.fill(0);
    expect(Buffer.from(decoded.value).toString()).toBe('secret');
    expect(decoded.value.buffer.byteLength).toBeLessThan(1024);
  });

  it.each([10, 200, 50_000])('gives entries that keep nothing else alive: a value of %i bytes', (length) => {
    encodeValue(Buffer.alloc(4 * MAX_ENTRY_BYTES));
    const bytes = encodeCommand(command({ value: Buffer.alloc(length) }));
    expect(bytes.buffer.byteLength).toBe(bytes.length);
  });

  it('refuses to encode more than the cap', () => {
    const body = Buffer.alloc(MAX_ENTRY_BYTES);
    expect(() => encodeCommand(command(body))).toThrow(expect.objectContaining({ code: 'too-large' }));
  });
});

describe('checks before decoding (CVE-2023-52079)', () => {
  it('accept exactly what the encoder writes, and find where it ends', () => {
    fc.assert(
      fc.property(value, fc.uint8Array({ maxLength: 8 }), (each, rest) => {
        const bytes = encodeValue(each);
        expect(checkMsgpack(bytes)).toBeUndefined();
        expect(measureMsgpack(Buffer.concat([rest, bytes, rest]), rest.length)).toBe(rest.length + bytes.length);
      }),
      { numRuns: 500 },
    );
  });

  it('refuse every cut', () => {
    fc.assert(
      fc.property(value, fc.nat(), (each, at) => {
        const bytes = encodeValue(each);
        expect(checkMsgpack(bytes.subarray(0, at % bytes.length))).toBe('truncated');
      }),
    );
  });

  it('refuse nesting beyond the cap, before anything recurses', () => {
    const nested = (depth: number): Buffer => Buffer.concat([Buffer.alloc(depth, 0x91), Buffer.of(0xc0)]);
    expect(checkMsgpack(nested(MAX_ENTRY_DEPTH))).toBeUndefined();
    expect(checkMsgpack(nested(MAX_ENTRY_DEPTH + 1))).toBe('nested too deeply');
    expect(checkMsgpack(nested(1_000_000))).toBe('nested too deeply');
  });

  it('refuse sizes that the bytes cannot hold, before anything is allocated', () => {
    for (const head of [
      [0xdd, 0xff, 0xff, 0xff, 0xff],
      [0xdf, 0xff, 0xff, 0xff, 0xff],
      [0xc6, 0xff, 0xff, 0xff, 0xff],
      [0xdb, 0xff, 0xff, 0xff, 0xff],
    ]) {
      expect(checkMsgpack(Buffer.from(head))).toBe('truncated');
    }
  });

  it('refuse __proto__ as a key in every spelling of the format, and keys that are not strings', () => {
    const name = Buffer.from('__proto__');
    for (const head of [[0xa9], [0xd9, 9], [0xda, 0, 9], [0xdb, 0, 0, 0, 9]]) {
      const map = Buffer.concat([Buffer.of(0x81), Buffer.from(head), name, Buffer.of(0x80)]);
      expect(checkMsgpack(map)).toBe('the key __proto__ is refused');
    }
    expect(checkMsgpack(Buffer.of(0x81, 0x01, 0x01))).toBe('a map key is not a string');
    expect(checkMsgpack(Buffer.concat([Buffer.of(0x91, 0xa9), name]))).toBeUndefined();
  });

  it('refuse extensions, whose decoders are code', () => {
    for (const type of [0xc1, 0xc7, 0xc8, 0xc9, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8]) {
      expect(checkMsgpack(Buffer.of(type, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1))).toBe(
        `type 0x${type.toString(16)} is refused`,
      );
    }
  });

  it('let nothing through that the decoder chokes on, and leave Object.prototype alone', () => {
    const keys = Object.getOwnPropertyNames(Object.prototype);
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 64 }), mutated()), (bytes) => {
        if (checkMsgpack(bytes) === undefined) expect(() => decodeCommand(bytes)).toThrow(/^malformed log entry: not a command$|^$/);
        else expect(() => decodeCommand(bytes)).toThrow(/^malformed log entry/);
      }),
      { numRuns: 5000 },
    );
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(keys);
  });
});

/** Real entries with some bytes changed; those that stay commands are left out. */
function mutated(): fc.Arbitrary<Uint8Array> {
  return fc.tuple(value, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 })).map(([body, changes]) => {
    const bytes = Buffer.from(encodeValue({ body }));
    for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
    return bytes;
  });
}
