import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Assembler } from './assembler.ts';
import { BATCH_BYTES, MAX_FRAME_BYTES, PART_BYTES } from './limits.ts';
import { KIND } from './protocol.ts';
import { decodeFrame, type FrameRecord } from './record.ts';
import { RecordSender } from './sender.ts';

const NO_LIMIT = (): number => Number.POSITIVE_INFINITY;
const part = (id: number, text: string, hasMore: boolean): FrameRecord => ({ kind: KIND.reply, id, body: Buffer.from(text), hasMore });

describe('values in parts', () => {
  it('are put together as they were, however they are mixed on the way', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 4 * PART_BYTES }), { maxLength: 12 }), (sizes) => {
        const bodies = new Map(sizes.map((size, id) => [id, Buffer.alloc(size, id + 1)]));
        const frames = framesOf([...bodies]);
        const assembler = new Assembler(Number.POSITIVE_INFINITY, 100);
        const arrived = new Map<number, Uint8Array>();
        for (const record of frames.flatMap((frame) => decodeFrame(frame))) {
          const body = assembler.add(record, NO_LIMIT);
          if (typeof body !== 'string') arrived.set(record.id, body);
        }
        expect(arrived.size).toBe(bodies.size);
        for (const [id, body] of bodies) expect(Buffer.compare(arrived.get(id) ?? Buffer.of(0), body)).toBe(0);
        expect(assembler.partialBytes).toBe(0);
        for (const frame of frames) expect(frame.length).toBeLessThan(MAX_FRAME_BYTES);
      }),
      { numRuns: 50 },
    );
  });

  it('that are too large are said to be so once, and the rest of them is let go', () => {
    const assembler = new Assembler(100, 10);
    expect(assembler.add(part(1, 'abcd', true), () => 6)).toBe('partial');
    expect(assembler.add(part(1, 'efgh', true), () => 6)).toBe('too-large');
    expect(assembler.partialBytes).toBe(0);
    expect(assembler.add(part(1, 'ijkl', true), () => 6)).toBe('partial');
    expect(assembler.add(part(1, 'mnop', false), () => 6)).toBe('partial');
    expect(assembler.add(part(1, 'again', false), () => 6)).toEqual(Buffer.from('again'));
    expect(assembler.add(part(2, 'in one piece', false), () => 6)).toBe('too-large');
  });

  it('may not hold more than their limit together, nor be more than their number', () => {
    const assembler = new Assembler(6, 2);
    expect(assembler.add(part(1, 'abcd', true), NO_LIMIT)).toBe('partial');
    expect(assembler.add(part(2, 'abcd', true), NO_LIMIT)).toBe('too-large');
    expect(() => assembler.add(part(3, 'a', true), NO_LIMIT)).toThrow(/too many values in parts/);
    assembler.drop(1);
    expect(assembler.partialBytes).toBe(0);
    expect(assembler.add(part(3, 'abcdef', true), NO_LIMIT)).toBe('partial');
  });

  it('do not change their kind on the way', () => {
    const assembler = new Assembler(100, 10);
    assembler.add(part(1, 'a', true), NO_LIMIT);
    expect(() => assembler.add({ ...part(1, 'b', false), kind: KIND.error }, NO_LIMIT)).toThrow(/different kinds/);
  });
});

describe('the sender', () => {
  it('puts what comes in one turn into one frame', () => {
    expect(framesOf(Array.from({ length: 100 }, (_, id) => [id, Buffer.alloc(100)]))).toHaveLength(1);
  });

  it('lets at most a batch and a part go before what is short', () => {
    const bodies: [number, Buffer][] = [...Array(10).keys()].map((id) => [id, Buffer.alloc(4 * PART_BYTES)]);
    const [first] = framesOf([...bodies, [10, Buffer.from('short')]]);
    expect(decodeFrame(first ?? Buffer.alloc(0)).map(({ id }) => id)).toEqual([10, 0]);
    expect(first?.length).toBeLessThan(BATCH_BYTES + PART_BYTES);
  });

  it('writes no more than its window before the connection has taken it, and counts what waits', () => {
    const turns: (() => void)[] = [];
    const taken: (() => void)[] = [];
    const sender = new RecordSender(
      (_frame, done) => taken.push(done),
      (run) => turns.push(run),
    );
    const limits = { maxShortBytes: 1000, maxLongBytes: 1000 };
    const long = Buffer.alloc(100 * PART_BYTES);
    const outgoing = sender.send(KIND.reply, 1, long);
    sender.open();
    turns.shift()?.();
    expect(taken).toHaveLength(4);
    expect(sender.hasRoomFor(long, limits)).toBe(false);
    expect(sender.hasRoomFor(Buffer.of(1), limits)).toBe(true);
    for (let at = 0; at < 5000 && !outgoing.isSent; at++) {
      taken.shift()?.();
      turns.shift()?.();
    }
    expect(outgoing.isSent).toBe(true);
    expect(sender.hasRoomFor(long, limits)).toBe(true);
  });

  it('keeps what is dropped to itself', () => {
    const { sender, frames, turn } = manualSender();
    sender.send(KIND.request, 1, Buffer.from('a')).isDropped = true;
    const long = sender.send(KIND.request, 2, Buffer.alloc(10 * PART_BYTES));
    sender.drop(2);
    sender.open();
    turn();
    expect(frames).toEqual([]);
    expect(long.isSent).toBe(false);
    expect(sender.shortBytes).toBe(0);
  });
});

function manualSender(): { readonly sender: RecordSender; readonly frames: Buffer[]; readonly turn: () => void } {
  const frames: Buffer[] = [];
  const turns: (() => void)[] = [];
  const sender = new RecordSender(
    (frame, taken) => {
      frames.push(frame);
      taken();
    },
    (run) => turns.push(run),
  );
  return { sender, frames, turn: () => turns.splice(0).forEach((run) => run()) };
}

/** Everything in one turn, over a connection that takes all at once. */
function framesOf(bodies: readonly (readonly [number, Buffer])[]): readonly Buffer[] {
  const { sender, frames, turn } = manualSender();
  sender.open();
  for (const [id, body] of bodies) sender.send(KIND.reply, id, body);
  turn();
  return frames;
}
