import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeRefusal,
  encodeFrame,
  encodeRefusal,
  FRAME,
  FrameDecoder,
  FrameError,
  type FrameType,
  MAX_CONTROL_BYTES,
  MAX_DATA_BYTES,
  REFUSAL,
} from './frame.ts';

interface Decoded {
  readonly type: FrameType;
  readonly payload: string;
}

/** Data frames that follow each other are one piece of a stream: they are joined, as a stream's reader sees them. */
function decodeAll(chunks: readonly Buffer[]): Decoded[] {
  const frames: Decoded[] = [];
  const decoder = new FrameDecoder({
    onData: (piece) => {
      const last = frames.at(-1);
      if (last?.type === FRAME.data) frames[frames.length - 1] = { type: FRAME.data, payload: last.payload + piece.toString('hex') };
      else frames.push({ type: FRAME.data, payload: piece.toString('hex') });
    },
    onControl: (type, payload) => frames.push({ type, payload: payload.toString('hex') }),
  });
  for (const chunk of chunks) decoder.push(chunk);
  return frames;
}

const frame = fc.record({
  type: fc.constantFrom(...Object.values(FRAME)),
  payload: fc.uint8Array({ maxLength: 300 }),
});

describe('tunnel frames', () => {
  it('read the same wherever the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 20 }), fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), (frames, cuts) => {
        const bytes = Buffer.concat(frames.map(({ type, payload }) => encodeFrame(type, payload)));
        const chunks: Buffer[] = [];
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const size = cuts[turn % cuts.length] ?? 1;
          chunks.push(bytes.subarray(at, at + size));
          at += size;
        }
        expect(decodeAll(chunks)).toEqual(decodeAll([bytes]));
        const whole = decodeAll([bytes]).filter(({ type }) => type !== FRAME.data);
        const sent = frames.filter(({ type }) => type !== FRAME.data);
        expect(whole).toEqual(sent.map(({ type, payload }) => ({ type, payload: Buffer.from(payload).toString('hex') })));
      }),
    );
  });

  it('hand data on without copying it', () => {
    const chunk = encodeFrame(FRAME.data, Buffer.alloc(1000, 7));
    const pieces: Buffer[] = [];
    new FrameDecoder({ onData: (piece) => pieces.push(piece), onControl: () => undefined }).push(chunk);
    expect(pieces[0]?.buffer).toBe(chunk.buffer);
  });

  it.each([
    ['an unknown type', Buffer.from([9, 0, 0, 0])],
    ['type 0', Buffer.from([0, 0, 0, 0])],
    ['data over the limit', Buffer.from([FRAME.data, ...size(MAX_DATA_BYTES + 1)])],
    ['a control frame over the limit', Buffer.from([FRAME.open, ...size(MAX_CONTROL_BYTES + 1)])],
  ])('refuse %s, and everything after it', (_name, bytes) => {
    const decoder = new FrameDecoder({ onData: () => undefined, onControl: () => undefined });
    expect(() => decoder.push(bytes)).toThrow(FrameError);
    expect(() => decoder.push(encodeFrame(FRAME.finish))).toThrow(FrameError);
  });

  it('survive any garbage with nothing worse than a FrameError', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 20 }), (chunks) => {
        try {
          decodeAll(chunks.map((chunk) => Buffer.from(chunk)));
        } catch (error) {
          expect(error).toBeInstanceOf(FrameError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('refusals', () => {
  it('come back as they were sent', () => {
    const refusal = { code: REFUSAL.denied, reason: 'Matched L4 intention: default/web => default/söcat (Action: DENY)' };
    expect(decodeRefusal(encodeRefusal(FRAME.refuse, refusal).subarray(4))).toEqual(refusal);
  });

  it('cannot put control characters into a log', () => {
    const payload = Buffer.concat([Buffer.from([1]), Buffer.from('a\nb\u001b[31m\u0085c')]);
    expect(decodeRefusal(payload).reason).toBe('a b [31m c');
  });

  it('are cut to what a control frame holds, and read when empty or unknown', () => {
    expect(encodeRefusal(FRAME.reset, { code: REFUSAL.reset, reason: 'x'.repeat(10_000) }).length).toBe(4 + MAX_CONTROL_BYTES);
    expect(decodeRefusal(Buffer.alloc(0))).toEqual({ code: REFUSAL.protocol, reason: '' });
    expect(decodeRefusal(Buffer.from([200]))).toEqual({ code: REFUSAL.protocol, reason: '' });
  });
});

function size(bytes: number): number[] {
  return [bytes >>> 16, (bytes >>> 8) & 0xff, bytes & 0xff];
}
