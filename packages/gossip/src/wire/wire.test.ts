import fc from 'fast-check';
import { Unpackr } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import { GossipError } from '../errors.ts';
import type { AliveMessage, MemberRecord, Message, StreamMessage } from '../swim/index.ts';
import { isAddress } from './address.ts';
import { MAX_APP_BYTES, MAX_INCARNATION, MAX_NAME_BYTES } from './limits.ts';
import { decodeMessage, encodeMessage } from './message-codec.ts';
import { decodePacket, encodePacket, sizeOfPart } from './packet.ts';
import { decodeStreamMessage, encodeStreamMessage } from './stream-codec.ts';
import { Writer } from './writer.ts';

const unpackr = new Unpackr({ int64AsType: 'number' });
const name = fc
  .string({ minLength: 1, maxLength: 30 })
  .filter((text) => !/\p{Cc}/u.test(text) && Buffer.byteLength(text) <= MAX_NAME_BYTES);
const seq = fc.nat({ max: 2 ** 31 - 1 });
const incarnation = fc.integer({ min: 0, max: MAX_INCARNATION });
const bytes = fc.uint8Array({ maxLength: 256 });
const port = fc.integer({ min: 1, max: 65_535 });
const address = fc.oneof(
  fc.tuple(fc.ipV4(), port).map(([ip, number]) => `${ip}:${number}`),
  fc.tuple(fc.ipV6(), port).map(([ip, number]) => `[${ip}]:${number}`),
);
const tagText = fc.string({ maxLength: 20 }).filter((text) => !/\p{Cc}/u.test(text));
const tags = fc.dictionary(tagText, tagText, { maxKeys: 4, noNullPrototype: true });
const versions = fc
  .tuple(fc.integer({ min: 1, max: 9 }), fc.nat(9), fc.nat(9))
  .map(([min, more, current]) => ({ min, max: min + more, current }));
const content = fc.record({ node: name, incarnation, id: fc.uuid(), address, tags, versions });
const message: fc.Arbitrary<Message> = fc.oneof(
  content.map((fields): AliveMessage => ({ type: 'alive', ...fields })),
  fc.record({ type: fc.constantFrom('suspect' as const, 'dead' as const), node: name, incarnation, from: name }),
  fc.record({ type: fc.constant('ping' as const), seq, node: name, from: name }),
  fc.record({ type: fc.constant('ping-request' as const), seq, node: name, from: name, address }),
  fc.record({ type: fc.constant('ack' as const), seq, payload: bytes }),
  fc.record({ type: fc.constant('nack' as const), seq }),
  fc.record({ type: fc.constant('app' as const), payload: bytes }),
);
const record: fc.Arbitrary<MemberRecord> = fc
  .tuple(content, fc.constantFrom('alive' as const, 'suspect' as const, 'dead' as const, 'left' as const))
  .map(([fields, state]) => ({ ...fields, state }));
const streamMessage: fc.Arbitrary<StreamMessage> = fc.oneof(
  fc.record({
    type: fc.constant('push-pull' as const),
    from: name,
    join: fc.boolean(),
    members: fc.array(record, { maxLength: 8 }),
    app: bytes,
  }),
  fc.record({ type: fc.constant('refused' as const), reason: tagText }),
);

describe('messages', () => {
  it('come out as they went in', () => {
    fc.assert(
      fc.property(message, (given) => {
        expect(decodeMessage(encodeMessage(given))).toEqual(given);
      }),
    );
    fc.assert(
      fc.property(streamMessage, (given) => {
        expect(decodeStreamMessage(encodeStreamMessage(given))).toEqual(given);
      }),
    );
  });

  it('are MessagePack, which any other reader reads', () => {
    fc.assert(
      fc.property(message, (given) => {
        const list = unpackr.unpack(Buffer.from(encodeMessage(given))) as unknown[];
        if (given.type === 'ping') expect(list).toEqual([0, given.seq, given.node, given.from]);
        if (given.type === 'dead') expect(list).toEqual([6, given.node, given.incarnation, given.from]);
        if (given.type === 'alive') expect(list.slice(1, 5)).toEqual([given.node, given.incarnation, given.id, given.address]);
      }),
    );
  });

  it('of a type that is newer than this code are left out, and so are fields behind the known ones', () => {
    expect(decodeMessage(new Writer().list(2).count(99).text('new').finish())).toBeUndefined();
    expect(decodeMessage(new Writer().list(3).count(3).count(7).text('more').finish())).toEqual({ type: 'nack', seq: 7 });
  });

  it('tags named as parts of every object are tags like others', () => {
    const given: Message = {
      type: 'alive',
      node: 'a',
      incarnation: 1,
      id: '',
      address: '1.2.3.4:5',
      tags: JSON.parse('{"__proto__":"x"}') as Record<string, string>,
      versions: { min: 1, max: 1, current: 1 },
    };
    const read = decodeMessage(encodeMessage(given));
    expect(read?.type === 'alive' && Object.entries(read.tags)).toEqual([['__proto__', 'x']]);
  });
});

describe('packets', () => {
  it('hold several messages, each of the size that was said', () => {
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 20 }), (given) => {
        const packet = encodePacket(given);
        expect(decodePacket(packet)).toEqual(given);
        expect(packet.length).toBe(given.reduce((sum, each) => sum + sizeOfPart(each), 1));
      }),
    );
  });
});

describe('limits', () => {
  const alive = (more: Partial<AliveMessage>): Uint8Array =>
    encodeMessage({
      type: 'alive',
      node: 'a',
      incarnation: 1,
      id: '',
      address: '1.2.3.4:5',
      tags: {},
      versions: { min: 1, max: 1, current: 1 },
      ...more,
    });

  it.each([
    ['a name that is too long', () => alive({ node: 'x'.repeat(129) })],
    ['no name', () => alive({ node: '' })],
    ['a name that would write into logs', () => alive({ node: 'a\nb' })],
    ['a host name for an address', () => alive({ address: 'example.org:80' })],
    ['an incarnation that cannot be topped', () => alive({ incarnation: MAX_INCARNATION + 1 })],
    ['too many bytes of tags', () => alive({ tags: { a: 'x'.repeat(512) } })],
    ['impossible versions', () => alive({ versions: { min: 3, max: 2, current: 2 } })],
    ['too much for the layer above', () => encodeMessage({ type: 'app', payload: new Uint8Array(MAX_APP_BYTES + 1) })],
    ['a list that claims to be longer than its bytes', () => Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff)],
  ])('%s is malformed', (_what, make) => {
    expect(() => decodeMessage(make())).toThrow(expect.objectContaining({ code: 'malformed' }));
  });

  it('a push/pull that claims millions of members allocates nothing for them', () => {
    const head = new Writer().list(5).count(0).text('a').flag(false).finish();
    expect(() => decodeStreamMessage(Uint8Array.of(...head, 0xdd, 0, 0xff, 0xff, 0xff))).toThrow(GossipError);
  });

  it('addresses are IP addresses with ports', () => {
    for (const good of ['1.2.3.4:1', '255.255.255.255:65535', '[::1]:8301', '[fe80::1:2]:80'])
      expect([good, isAddress(good)]).toEqual([good, true]);
    for (const bad of ['1.2.3.4', '1.2.3:80', '256.1.1.1:1', '1.2.3.4:0', '1.2.3.4:65536', 'a:1', '::1:80', '[1]:80', '1.2.3.4.5:1', '']) {
      expect([bad, isAddress(bad)]).toEqual([bad, false]);
    }
  });
});
