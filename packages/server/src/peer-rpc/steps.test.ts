import { LictorError } from '@lictor/protocol';
import fc from 'fast-check';
import { Packr } from 'msgpackr/pack';
import { describe, expect, it } from 'vitest';
import { MAX_ENTRY_DEPTH } from '../fsm/codec-limits.ts';
import { Body } from './body.ts';
import { decodeValue, encodeValue } from './codec.ts';
import { decodeSteps } from './decode-steps.ts';
import { encodeSteps, isHeavy, STEP_BYTES } from './encode-steps.ts';
import { runAtOnce, type Steps } from './slices.ts';

/** So short that nearly everything takes several. */
const stepBytes = fc.integer({ min: 16, max: 200 });
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 5 },
    fc.string({ maxLength: 300 }),
    fc.double({ noNaN: true }).map((number) => number + 0),
    fc.maxSafeInteger(),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fc.array(tie('any'), { maxLength: 30 }),
    fc.dictionary(
      fc.string().filter((key) => key !== '__proto__'),
      tie('any'),
    ),
  ),
})).any;

/** Written by somebody else. */
const foreign = new Packr({ useRecords: false, variableMapSize: true });

function encode(each: unknown, bytes = STEP_BYTES): Buffer {
  const body = new Body(runAtOnce(encodeSteps(each, Infinity, bytes)));
  return Buffer.from(body.slice(0, body.length));
}

function countSteps(steps: Steps<unknown>): number {
  let count = 1;
  while (steps.next().done !== true) count++;
  return count;
}

/** What is decoded, or why it is refused. */
function outcomeOf(decode: () => unknown): { readonly value: unknown } | { readonly refusal: string } {
  try {
    return { value: decode() };
  } catch (thrown) {
    expect(thrown).toMatchObject({ name: 'LictorError', code: 'invalid-argument' });
    return { refusal: (thrown as LictorError).message };
  }
}

describe('encoding in steps', () => {
  it('says the same as encoding in one go', () => {
    fc.assert(
      fc.property(value, stepBytes, (each, bytes) => {
        expect(foreign.unpack(encode(each, bytes))).toEqual(foreign.unpack(encodeValue(each)));
      }),
      { numRuns: 1000 },
    );
  });

  it('leaves out fields that are undefined, and keeps the places of elements that are', () => {
    const odd = { gone: undefined, list: [undefined, 'x'.repeat(100), undefined, 1], kept: null };
    expect(decodeValue(encode(odd, 20))).toEqual(decodeValue(encodeValue(odd)));
    expect(Object.keys(decodeValue(encode(odd, 20)) as object)).toEqual(['list', 'kept']);
  });

  it('does as much in a step as the step is long, however long the value is', () => {
    const rows = Array.from({ length: 10_000 }, (_, at) => ({ Key: `key ${at}`, Value: Buffer.alloc(100), Flags: 0 }));
    const pieces = runAtOnce(encodeSteps({ rows }, Infinity));
    expect(pieces.length).toBeGreaterThan(40);
    for (const piece of pieces) expect(piece.length).toBeLessThanOrEqual(STEP_BYTES);
    expect(countSteps(encodeSteps({ rows }, Infinity))).toBeGreaterThan(40);
  });

  it('does not copy long bytes', () => {
    const bytes = Buffer.alloc(2 * STEP_BYTES, 'x');
    expect(runAtOnce(encodeSteps([{ bytes }], Infinity))).toContain(bytes);
  });

  it('ends when there is more than may be sent', () => {
    const steps = encodeSteps(
      Array.from({ length: 100_000 }, () => 'x'.repeat(100)),
      100_000,
    );
    expect(() => countSteps(steps)).toThrow(expect.objectContaining({ code: 'too-large' }));
  });

  it('refuses what goes on for ever', () => {
    const endless: unknown[] = ['x'.repeat(100)];
    endless.push(endless);
    expect(isHeavy(endless, 50)).toBe(true);
    expect(() => encode(endless, 50)).toThrow(/nested too deeply/);
  });

  it('knows what is heavy without looking at all of it', () => {
    expect(isHeavy({ Key: 'a', Value: Buffer.alloc(1000) })).toBe(false);
    expect(isHeavy(Array.from({ length: STEP_BYTES }, () => 1))).toBe(true);
    expect(isHeavy({ deep: [{ bytes: Buffer.alloc(2 * STEP_BYTES) }] })).toBe(true);
    let looks = 0;
    const watched = new Proxy([] as string[], {
      get: (_, key) => {
        looks++;
        return key === 'length' ? 1_000_000 : 'x'.repeat(1000);
      },
    });
    expect(isHeavy(watched)).toBe(true);
    expect(looks).toBeLessThan(200);
  });
});

describe('decoding in steps', () => {
  it('gives what decoding in one go gives', () => {
    fc.assert(
      fc.property(value, stepBytes, fc.boolean(), (each, bytes, isForeign) => {
        const encoded = isForeign ? foreign.pack(each) : encode(each, bytes);
        expect(runAtOnce(decodeSteps(encoded, bytes))).toEqual(decodeValue(encoded));
      }),
      { numRuns: 1000 },
    );
  });

  it('refuses what decoding in one go refuses, and nothing else', () => {
    const before = Object.getOwnPropertyNames(Object.prototype);
    const bytes = fc.oneof(fc.uint8Array({ maxLength: 128 }), mutated());
    fc.assert(
      fc.property(bytes, stepBytes, (each, step) => {
        const inSteps = outcomeOf(() => runAtOnce(decodeSteps(each, step)));
        const atOnce = outcomeOf(() => decodeValue(each));
        if ('value' in atOnce) expect(inSteps).toEqual(atOnce);
        else expect(inSteps).toHaveProperty('refusal');
      }),
      { numRuns: 10_000 },
    );
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before);
  });

  it('lets nobody set a prototype, nor use another key than a text', () => {
    const text = (key: string): Buffer => Buffer.concat([Buffer.of(0xa0 + key.length), Buffer.from(key)]);
    const long = foreign.pack('x'.repeat(100));
    for (const key of [text('__proto__'), Buffer.of(1), Buffer.of(0xc0), foreign.pack({ a: 1 })]) {
      const map = Buffer.concat([Buffer.of(0x82), text('a'), long, key, long]);
      expect(() => runAtOnce(decodeSteps(map, 20))).toThrow(/__proto__ is refused|key is not a string/);
    }
  });

  it('refuses heads that promise more than there is, and depth without end', () => {
    for (const head of [0xdd, 0xdf, 0xdb, 0xc6]) {
      const bytes = Buffer.concat([Buffer.of(head, 0xff, 0xff, 0xff, 0xff), Buffer.alloc(1000)]);
      expect(() => runAtOnce(decodeSteps(bytes, 20))).toThrow(/truncated/);
    }
    const nested = Buffer.alloc(100_000, 0x91);
    expect(countStepsUntilRefused(nested)).toBeLessThanOrEqual(2 * (MAX_ENTRY_DEPTH + 1));
  });

  it('does as much in a step as the step is long', () => {
    const encoded = encode(Array.from({ length: 10_000 }, (_, at) => ({ Key: `key ${at}`, Value: Buffer.alloc(100) })));
    expect(countSteps(decodeSteps(encoded))).toBeGreaterThanOrEqual(Math.floor(encoded.length / STEP_BYTES));
  });

  it('gives values that share no memory with what brought them, unless they are most of it', () => {
    const encoded = encode(Array.from({ length: 1000 }, () => Buffer.from('abc')));
    const decoded = runAtOnce(decodeSteps(encoded, 100)) as Uint8Array[];
    encoded.fill(0);
    expect(decoded.every((bytes) => Buffer.from(bytes).toString() === 'abc')).toBe(true);
  });
});

function countStepsUntilRefused(bytes: Uint8Array): number {
  const steps = decodeSteps(bytes, 20);
  for (let count = 1; ; count++) {
    try {
      if (steps.next().done === true) throw new Error('it was taken');
    } catch (thrown) {
      expect(thrown).toMatchObject({ name: 'LictorError' });
      return count;
    }
  }
}

/** Real values with some bytes changed. */
function mutated(): fc.Arbitrary<Uint8Array> {
  return fc.tuple(value, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 })).map(([each, changes]) => {
    const bytes = Buffer.from(foreign.pack(each));
    for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
    return bytes;
  });
}
