import { type Random, randomInteger, Secret } from '@lictor/protocol';
import { seededRandom } from '@lictor/protocol/testing';
import { describe, expect, it } from 'vitest';
import { GossipError } from '../errors.ts';
import { Keyring } from '../keyring/index.ts';
import { Envelope } from '../keyring/envelope.ts';
import type { SerfMessage } from '../serf/message.ts';
import { aliveOf, home } from '../testing/driven-swim.ts';
import type { Message } from '../swim/index.ts';
import { decodePacket, encodePacket } from './packet.ts';
import {
  decodeCoordinate,
  decodeSerfMessage,
  decodeSerfState,
  encodeCoordinate,
  encodeSerfMessage,
  encodeSerfState,
} from './serf-codec.ts';
import { decodeStreamMessage, encodeStreamMessage } from './stream-codec.ts';

const MUTATIONS = Number(process.env['LICTOR_FUZZ'] ?? 100_000);
const PAYLOAD = Uint8Array.of(1, 2, 3);
const { type: _, ...record } = aliveOf('b', { tags: { role: 'consul', dc: 'dc1' } });
const MESSAGES: readonly Message[] = [
  aliveOf('b', { tags: { role: 'consul' } }),
  { type: 'suspect', node: 'b', incarnation: 300, from: 'c' },
  { type: 'dead', node: 'b', incarnation: 70_000, from: 'b' },
  { type: 'ping', seq: 2 ** 31, node: 'b', from: 'a' },
  { type: 'ack', seq: 1, payload: PAYLOAD },
  { type: 'app', payload: PAYLOAD },
];
const response: SerfMessage = { type: 'query-response', time: 3, id: 4, from: 'b', isAck: false, payload: PAYLOAD };
const query: SerfMessage = {
  type: 'query',
  time: 3,
  id: 4,
  from: 'b',
  fromAddress: home('b'),
  name: 'q',
  payload: PAYLOAD,
  nodes: ['a', 'c'],
  tags: { role: '^web$' },
  wantsAck: true,
  relays: 2,
  timeoutMs: 1000,
};
const event = { time: 9, name: 'deploy', payload: PAYLOAD, coalesce: true };
const state = { memberTime: 1, eventTime: 2, queryTime: 3, statusTimes: [['b', 7] as const], left: ['c'], events: [event] };

/** Good bytes, and who reads them. */
const SAMPLES: readonly (readonly [Uint8Array, (bytes: Uint8Array) => unknown])[] = [
  [encodePacket(MESSAGES), decodePacket],
  [
    encodeStreamMessage({ type: 'push-pull', from: 'a', join: true, members: [{ ...record, state: 'suspect' }], app: PAYLOAD }),
    decodeStreamMessage,
  ],
  [encodeStreamMessage({ type: 'refused', reason: 'no' }), decodeStreamMessage],
  ...[query, response].map((message) => [encodeSerfMessage(message), decodeSerfMessage] as const),
  [encodeSerfMessage({ type: 'relay', node: 'c', response }), decodeSerfMessage],
  [encodeSerfMessage({ type: 'user-event', ...event }), decodeSerfMessage],
  [encodeSerfMessage({ type: 'leave-intent', time: 3, node: 'b', prune: true }), decodeSerfMessage],
  [encodeSerfState(state), decodeSerfState],
  [encodeCoordinate({ vec: [1, 2, 3], error: 1, adjustment: 0, height: 0.1 }), decodeCoordinate],
];

describe(`${MUTATIONS} mutations`, () => {
  it('of good bytes are read, or are malformed: nothing else', () => {
    const random = seededRandom(20);
    let [read, refused] = [0, 0];
    for (let round = 0; round < MUTATIONS; round++) {
      const sample = SAMPLES[round % SAMPLES.length];
      if (sample === undefined) throw new Error('no sample');
      const [bytes, decode] = sample;
      try {
        decode(mutate(bytes, random));
        read++;
      } catch (error) {
        if (!(error instanceof GossipError) || error.code !== 'malformed') throw error;
        refused++;
      }
    }
    // Some mutations are harmless, most are not.
    expect(read).toBeGreaterThan(MUTATIONS / 20);
    expect(refused).toBeGreaterThan(MUTATIONS / 20);
  });

  it('of a sealed packet open in no case', () => {
    const random = seededRandom(21);
    const key = Buffer.alloc(32, 7).toString('base64');
    const envelope = new Envelope({ label: 'dc1', verifyIncoming: true, verifyOutgoing: true }, new Keyring([new Secret(key)]), random);
    const sealed = envelope.close(encodePacket(MESSAGES));
    for (let round = 0; round < MUTATIONS / 50; round++) {
      const changed = mutate(sealed, random);
      if (Buffer.compare(changed, sealed) === 0) continue;
      let opened: unknown;
      try {
        opened = envelope.open(changed);
      } catch (error) {
        if (!(error instanceof GossipError)) throw error;
      }
      // The hint that a peer could not read is no content.
      expect(opened === undefined || (opened as { readonly isRefusal: boolean }).isRefusal).toBe(true);
    }
  });
});

function mutate(bytes: Uint8Array, random: Random): Uint8Array {
  const changed = Uint8Array.from(bytes);
  switch (randomInteger(random, 4)) {
    case 0:
      return changed.subarray(0, randomInteger(random, changed.length));
    case 1:
      changed[randomInteger(random, changed.length)] = randomInteger(random, 256);
      return changed;
    case 2: {
      const at = randomInteger(random, changed.length);
      changed[at] = (changed[at] ?? 0) ^ (1 << randomInteger(random, 8));
      return changed;
    }
    default:
      return Uint8Array.from([...changed, randomInteger(random, 256), randomInteger(random, 256)]);
  }
}
