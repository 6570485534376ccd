import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Entry, EntryKind, Membership } from '../core/entry.ts';
import { RaftError } from '../core/errors.ts';
import { EMPTY_MEMBERSHIP, encodeMembership } from '../core/membership.ts';
import type { Message } from '../core/message.ts';
import { DEFAULT_NODE_LIMITS } from '../driver/options.ts';
import { decodeFrame, encodeFrame, MAX_FRAME_BYTES } from './codec.ts';

const count = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const id = fc.string({ minLength: 1, maxLength: 40 });
const membership = fc
  .array(id, { minLength: 1, maxLength: 5 })
  .map((voters): Membership => ({ ...EMPTY_MEMBERSHIP, voters, addresses: { [voters[0] ?? '']: '127.0.0.1:1' } }));
const head = fc.record({ from: id, to: id, term: count });

const append = fc
  .record({
    head,
    prevIndex: fc.nat(1e9),
    prevTerm: count,
    commit: count,
    contents: fc.array(fc.record({ kind: fc.constantFrom<EntryKind>('command', 'noop'), data: fc.uint8Array({ maxLength: 300 }) })),
  })
  .map(({ head: { from, to, term }, prevIndex, prevTerm, commit, contents }): Message => {
    const entries = contents.map(({ kind, data }, position): Entry => ({ index: prevIndex + 1 + position, term, kind, data }));
    return { type: 'append', from, to, term, prevIndex, prevTerm, commit, entries };
  });
const messages: fc.Arbitrary<Message> = fc.oneof(
  fc
    .tuple(head, fc.boolean(), fc.boolean(), count, count)
    .map(([h, preVote, transfer, lastIndex, lastTerm]): Message => ({ type: 'vote', ...h, preVote, transfer, lastIndex, lastTerm })),
  fc.tuple(head, fc.boolean(), fc.boolean()).map(([h, preVote, granted]): Message => ({ type: 'vote-reply', ...h, preVote, granted })),
  append,
  fc
    .tuple(head, count, fc.boolean(), count, count)
    .map(([h, index, rejected, hintIndex, hintTerm]): Message => ({ type: 'append-reply', ...h, index, rejected, hintIndex, hintTerm })),
  fc.tuple(head, count, count).map(([h, commit, round]): Message => ({ type: 'heartbeat', ...h, commit, round })),
  fc.tuple(head, count).map(([h, round]): Message => ({ type: 'heartbeat-reply', ...h, round })),
  fc
    .tuple(head, count, count, membership)
    .map(([h, index, term, of]): Message => ({ type: 'snapshot', ...h, snapshot: { index, term, membership: of } })),
  head.map((h): Message => ({ type: 'timeout-now', ...h })),
);

describe('frames between servers', () => {
  it('bring back what was sent', () => {
    fc.assert(
      fc.property(fc.array(messages, { maxLength: 5 }), (sent) => {
        const received = decodeFrame(encodeFrame(sent)).map((message) =>
          message.type === 'append'
            ? { ...message, entries: message.entries.map((entry) => ({ ...entry, data: Uint8Array.from(entry.data) })) }
            : message,
        );
        expect(received).toEqual(sent);
      }),
    );
  });
});

describe('hostile frames', () => {
  it('of random or changed bytes are an error of this kind, never another, or a frame of messages that hold', () => {
    const changed = fc.tuple(fc.array(messages, { minLength: 1, maxLength: 3 }), fc.nat(), fc.nat(255)).map(([sent, at, byte]) => {
      const bytes = Buffer.from(encodeFrame(sent));
      bytes[at % bytes.length] = byte;
      return bytes;
    });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 400 }), changed), (bytes) => {
        try {
          for (const message of decodeFrame(bytes)) {
            expect(Number.isSafeInteger(message.term)).toBe(true);
            if (message.type === 'append')
              message.entries.forEach(({ index }, position) => expect(index).toBe(message.prevIndex + 1 + position));
          }
        } catch (error) {
          expect(error).toBeInstanceOf(RaftError);
        }
      }),
      { numRuns: 500 },
    );
  });

  const good = { type: 'append', from: 'a', to: 'b', term: 3, prevIndex: 5, prevTerm: 2, commit: 5 } as const;
  const entry = (index: number, term: number, more: Partial<Entry> = {}): Entry => ({
    index,
    term,
    kind: 'command',
    data: new Uint8Array(),
    ...more,
  });
  it.each<[string, Message]>([
    ['entries that skip an index', { ...good, entries: [entry(6, 3), entry(8, 3)] }],
    ['entries that do not follow', { ...good, entries: [entry(7, 3)] }],
    ['terms that fall', { ...good, entries: [entry(6, 3), entry(7, 2)] }],
    ['a term after the leader’s', { ...good, entries: [entry(6, 4)] }],
    ['a membership that is none', { ...good, entries: [entry(6, 3, { kind: 'membership', data: Buffer.from('{}') })] }],
    ['a term below zero', { type: 'timeout-now', from: 'a', to: 'b', term: -1 }],
    ['a term that is no integer', { type: 'timeout-now', from: 'a', to: 'b', term: 1.5 }],
    ['no sender', { type: 'timeout-now', from: '', to: 'b', term: 1 }],
    ['an endless sender', { type: 'timeout-now', from: 'a'.repeat(300), to: 'b', term: 1 }],
  ])('with %s are refused', (_name, message) => {
    expect(() => decodeFrame(encodeFrame([message]))).toThrow(RaftError);
  });

  it('take a membership that is one', () => {
    const data = encodeMembership({ ...EMPTY_MEMBERSHIP, voters: ['a'] });
    expect(decodeFrame(encodeFrame([{ ...good, entries: [entry(6, 3, { kind: 'membership', data })] }]))).toHaveLength(1);
  });

  it('have room for the largest command there may be', () => {
    const data = Buffer.alloc(DEFAULT_NODE_LIMITS.maxCommandBytes, 'x');
    const frame = encodeFrame([{ ...good, entries: [entry(6, 3, { data })] }]);
    expect(frame.length).toBeLessThanOrEqual(MAX_FRAME_BYTES);
    expect(decodeFrame(frame)).toHaveLength(1);
  });

  it('beyond the limit are refused unread', () => {
    expect(() => decodeFrame(new Uint8Array(MAX_FRAME_BYTES + 1))).toThrow('frame of');
  });
});
