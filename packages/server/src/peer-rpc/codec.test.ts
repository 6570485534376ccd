import { LictorError, METHOD_KINDS, Secret } from '@lictor/protocol';
import fc from 'fast-check';
import { Packr } from 'msgpackr/pack';
import { describe, expect, it } from 'vitest';
import { Body } from './body.ts';
import { decodeError, decodeRequest, decodeValue, encodeError, encodeRequest, encodeValue, methodOf } from './codec.ts';
import { PART_BYTES } from './limits.ts';

/** JSON and bytes: what requests and replies are made of. */
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 5 },
    fc.string(),
    fc.double({ noNaN: true }).map((number) => number + 0),
    fc.maxSafeInteger(),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    fc.array(tie('any')),
    fc.dictionary(
      fc.string().filter((key) => key !== '__proto__'),
      tie('any'),
    ),
  ),
})).any;

/** In one piece. */
function bytesOf(body: Uint8Array | Body): Buffer {
  return Buffer.from(body instanceof Body ? body.slice(0, body.length) : body);
}

/** Written by somebody else. */
const foreign = new Packr({ useRecords: false, variableMapSize: true });

describe('the codec of calls', () => {
  it('gives back values', () => {
    fc.assert(
      fc.property(value, (each) => {
        expect(decodeValue(bytesOf(encodeValue(each)))).toEqual(each);
      }),
    );
  });

  it('gives back requests, and tells their method from a first part', () => {
    fc.assert(
      fc.property(value, fc.string({ maxLength: 20 }), (request, token) => {
        const body = bytesOf(encodeRequest('Snapshot.Restore', request, { token: new Secret(token), datacenter: 'dc2' }));
        expect(methodOf(body)).toBe('Snapshot.Restore');
        const decoded = decodeRequest(body);
        expect(decoded.request).toEqual(request);
        expect(decoded.options.token?.reveal()).toBe(token);
        expect(decoded.options.datacenter).toBe('dc2');
      }),
    );
  });

  it.each(Object.keys(METHOD_KINDS))('carries calls of %s', (method) => {
    const body = bytesOf(encodeRequest(method, {}, {}));
    expect([decodeRequest(body).method, methodOf(body)]).toEqual([method, method]);
  });

  it('drops fields that are undefined, and knows no token from an empty one', () => {
    const { request, options } = decodeRequest(
      bytesOf(encodeRequest('KVS.Get', { key: 'a', near: undefined }, { query: { minIndex: 1 } })),
    );
    expect(Object.keys(request as object)).toEqual(['key']);
    expect('token' in options).toBe(false);
    expect(options.query).toEqual({ minIndex: 1 });
    expect(decodeRequest(bytesOf(encodeRequest('KVS.Get', {}, { token: new Secret('') }))).options.token?.isEmpty).toBe(true);
  });

  it('gives values that share no memory with what brought them', () => {
    const body = bytesOf(encodeValue({ bytes: Buffer.from('abc') }));
    const decoded = decodeValue(body) as { bytes: Uint8Array };
    body.fill(0);
    expect(Buffer.from(decoded.bytes).toString()).toBe('abc');
  });

  it('lets nobody set a prototype', () => {
    const body = Buffer.concat([Buffer.of(0x81, 0xa9), Buffer.from('__proto__'), foreign.pack({ isAdmin: true })]);
    expect(() => decodeValue(body)).toThrow(/__proto__ is refused/);
    const own = decodeValue(foreign.pack({ constructor: 1, toString: 2 })) as object;
    expect(Object.hasOwn(own, 'constructor')).toBe(true);
  });

  it('gives back errors; what it does not know is internal', () => {
    expect(decodeError(encodeError(new LictorError('rate-limited', 'slow')))).toMatchObject({ code: 'rate-limited', message: 'slow' });
    expect(decodeError(foreign.pack(['from-the-future', 'x']))).toMatchObject({ code: 'internal', message: 'x' });
  });

  it('refuses what has the wrong shape', () => {
    for (const odd of [null, 1, [], ['KVS.Get', {}, null, ''], [1, {}, null, '', null], ['KVS.Get', {}, 1, '', null]]) {
      expect(() => decodeRequest(foreign.pack(odd))).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
    }
    for (const query of [1, { consistency: 'soon' }, { minIndex: '5' }, { maxWaitMs: Number.NaN }]) {
      expect(() => decodeRequest(foreign.pack(['KVS.Get', {}, null, '', query]))).toThrow(/quer|consistency/);
    }
    for (const odd of [1, ['internal'], ['internal', 5], [5, 'x']]) {
      expect(() => decodeError(foreign.pack(odd))).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
    }
  });

  it('takes any bytes for a value or refuses them, and leaves Object.prototype alone', () => {
    const before = Object.getOwnPropertyNames(Object.prototype);
    const decoders = [decodeValue, decodeRequest, decodeError, methodOf];
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 128 }), mutated()), fc.constantFrom(...decoders), (bytes, decode) => {
        try {
          decode(bytes);
        } catch (thrown) {
          expect(thrown).toMatchObject({ name: 'LictorError', code: 'invalid-argument' });
        }
      }),
      { numRuns: 10_000 },
    );
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before);
  });

  it('encodes long requests without copying their bytes', () => {
    const archive = Buffer.alloc(2 * PART_BYTES, 'x');
    const encoded = encodeRequest('Snapshot.Restore', { archive }, { token: new Secret('t') });
    expect(encoded).toBeInstanceOf(Body);
    const { request, options } = decodeRequest(bytesOf(encoded));
    expect(request).toEqual({ archive });
    expect(options.token?.reveal()).toBe('t');
  });

  it('finds the method in whatever part comes first', () => {
    const body = bytesOf(encodeRequest('Snapshot.Restore', { archive: Buffer.alloc(PART_BYTES * 2) }, {}));
    expect(methodOf(body.subarray(0, PART_BYTES))).toBe('Snapshot.Restore');
    expect(methodOf(Buffer.of(0x95, 0xbf))).toBeUndefined();
  });
});

/** Real requests with some bytes changed. */
function mutated(): fc.Arbitrary<Uint8Array> {
  return fc.tuple(value, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 })).map(([request, changes]) => {
    const bytes = bytesOf(encodeRequest('KVS.Get', request, { token: new Secret('t'), query: { consistency: 'stale', minIndex: 3 } }));
    for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
    return bytes;
  });
}
