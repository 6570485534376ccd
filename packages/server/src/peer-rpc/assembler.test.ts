import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Assembler, PartsBudget } from './assembler.ts';
import { Body } from './body.ts';
import { BATCH_BYTES, MAX_FRAME_BYTES, PART_BYTES, WINDOW_BYTES } from './limits.ts';
import { KIND } from './protocol.ts';
import { decodeFrame, type FrameRecord, type Part } from './record.ts';
import { RecordSender } from './sender.ts';

const NO_LIMIT = (): number => Number.POSITIVE_INFINITY;
const record = (id: number, part: Part, text: string, valueBytes = text.length): FrameRecord => ({
  kind: KIND.reply,
  part,
  id,
  body: Buffer.from(text),
  valueBytes,
});

describe('values in parts', () => {
  it('are put together as they were, however they are mixed on the way', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 4 * PART_BYTES }), { maxLength: 12 }), (sizes) => {
        const bodies = new Map(sizes.map((size, id) => [id, Buffer.alloc(size, id + 1)]));
        const frames = framesOf([...bodies]);
        const budget = new PartsBudget(Number.POSITIVE_INFINITY);
        const assembler = new Assembler(budget, 100);
        const arrived = new Map<number, Uint8Array>();
        for (const each of frames.flatMap((frame) => decodeFrame(frame))) {
          const body = assembler.add(each, NO_LIMIT);
          if (typeof body !== 'string') arrived.set(each.id, body);
        }
        expect(arrived.size).toBe(bodies.size);
        for (const [id, body] of bodies) expect(Buffer.compare(arrived.get(id) ?? Buffer.of(0), body)).toBe(0);
        expect(budget.usedBytes).toBe(0);
        for (const frame of frames) expect(frame.length).toBeLessThan(MAX_FRAME_BYTES);
      }),
      { numRuns: 50 },
    );
  });

  it('that are too large are refused by what they say they are, once, and the rest of them is let go', () => {
    const budget = new PartsBudget(100);
    const assembler = new Assembler(budget, 10);
    expect(assembler.add(record(1, 'first', 'abcd', 7), () => 6)).toBe('too-large');
    expect(budget.usedBytes).toBe(0);
    expect(assembler.add(record(1, 'middle', 'ijkl'), () => 6)).toBe('partial');
    expect(assembler.add(record(1, 'last', 'mnop'), () => 6)).toBe('partial');
    expect(assembler.add(record(1, 'whole', 'again'), () => 6)).toEqual(Buffer.from('again'));
    expect(assembler.add(record(2, 'whole', 'in one piece'), () => 6)).toBe('too-large');
  });

  it('may not hold more than their limit together with those of other streams, nor be more than their number', () => {
    const budget = new PartsBudget(10);
    const assembler = new Assembler(budget, 2);
    const other = new Assembler(budget, 2);
    expect(assembler.add(record(1, 'first', 'a', 6), NO_LIMIT)).toBe('partial');
    expect(other.add(record(1, 'first', 'a', 6), NO_LIMIT)).toBe('too-large');
    expect(assembler.add(record(2, 'first', 'a', 2), NO_LIMIT)).toBe('partial');
    expect(assembler.add(record(3, 'first', 'a', 1), NO_LIMIT)).toBe('too-large');
    assembler.drop(1);
    expect(other.add(record(1, 'first', 'a', 6), NO_LIMIT)).toBe('partial');
    assembler.clear();
    other.clear();
    expect(budget.usedBytes).toBe(0);
  });

  it('are refused with their stream when they are not what they said', () => {
    const begin = (): Assembler => {
      const assembler = new Assembler(new PartsBudget(100), 10);
      assembler.add(record(1, 'first', 'ab', 4), NO_LIMIT);
      return assembler;
    };
    expect(() => begin().add({ ...record(1, 'last', 'cd'), kind: KIND.error }, NO_LIMIT)).toThrow(/different kinds/);
    expect(() => begin().add(record(1, 'last', 'c'), NO_LIMIT)).toThrow(/shorter/);
    expect(() => begin().add(record(1, 'middle', 'cde'), NO_LIMIT)).toThrow(/longer/);
    expect(() => begin().add(record(1, 'whole', 'cd'), NO_LIMIT)).toThrow(/within another/);
    expect(() => begin().add(record(1, 'first', 'cd', 4), NO_LIMIT)).toThrow(/within another/);
    expect(begin().add(record(1, 'last', 'cd'), NO_LIMIT)).toEqual(Buffer.from('abcd'));
  });
});

describe('a body in pieces', () => {
  it('is what its pieces are, wherever it is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 8 })), fc.nat(40), fc.nat(40), (pieces, start, end) => {
        const body = new Body(pieces);
        const whole = Buffer.concat(pieces);
        expect(body.length).toBe(whole.length);
        expect(Buffer.from(body.slice(start, end))).toEqual(Buffer.from(whole.subarray(start, Math.max(start, end))));
      }),
    );
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
    expect(taken).toHaveLength(WINDOW_BYTES / PART_BYTES);
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
