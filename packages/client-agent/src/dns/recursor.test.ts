import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { systemClock } from '@lictor/protocol/system';
import { seededRandom } from '@lictor/protocol/testing';
import * as dnsPacket from 'dns-packet';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { recurse, type RecursorOptions } from './recursor.ts';

interface Asked {
  readonly id: number;
  readonly port: number;
  readonly packet: dnsPacket.DecodedPacket;
}

let upstream: Socket;
let asked: Asked[] = [];
let answer: (message: Buffer, peer: RemoteInfo) => void = () => undefined;
beforeEach(async () => {
  asked = [];
  upstream = createSocket('udp4');
  upstream.bind(0, '127.0.0.1');
  await once(upstream, 'listening');
  upstream.on('message', (message, peer) => {
    asked.push({ id: message.readUInt16BE(0), port: peer.port, packet: dnsPacket.decode(message) });
    answer(message, peer);
  });
});
afterEach(() => upstream.close());

const random = seededRandom(3);

function ask(name: string, flags = 0): Promise<Buffer | undefined> {
  const query = dnsPacket.encode({ type: 'query', id: 7, flags, questions: [{ name, type: 'A' }] });
  const options: RecursorOptions = { recursors: [`127.0.0.1:${upstream.address().port}`], strategy: 'sequential', timeoutMs: 5_000 };
  return recurse(query, 'udp', options, { clock: systemClock, random });
}

function reply(question: Buffer, address: string, change: Partial<dnsPacket.Packet> = {}): Buffer {
  const { id = 0, questions = [] } = dnsPacket.decode(question);
  return dnsPacket.encode({
    type: 'response',
    id,
    questions,
    answers: [{ type: 'A', name: 'a.example', ttl: 60, data: address }],
    ...change,
  });
}

describe('what a blind spoofer would have to guess (CoreDNS CVE-2023-30464, CVE-2025-58063)', () => {
  it('is a new id and a new port for every question', async () => {
    answer = (message, peer) => upstream.send(reply(message, '192.0.2.1'), peer.port, peer.address);
    for (let round = 0; round < 60; round++) await ask('a.example');
    expect(new Set(asked.map(({ id }) => id)).size).toBeGreaterThan(55);
    expect(new Set(asked.map(({ port }) => port)).size).toBeGreaterThan(30);
    // Neither counts up from the one before.
    expect(asked.filter(({ id }, position) => id === (asked[position - 1]?.id ?? -9) + 1).length).toBeLessThan(3);
    expect(asked.some(({ id }) => id === 7)).toBe(false);
  });

  it.each<[string, (message: Buffer) => Buffer]>([
    ['another id', (message) => reply(message, '203.0.113.1', { id: (message.readUInt16BE(0) + 1) & 0xffff })],
    ['the id of the client', (message) => reply(message, '203.0.113.1', { id: 7 })],
    ['another question', (message) => reply(message, '203.0.113.1', { questions: [{ name: 'b.example', type: 'A' }] })],
    ['another type of question', (message) => reply(message, '203.0.113.1', { questions: [{ name: 'a.example', type: 'TXT' }] })],
    ['no question', (message) => reply(message, '203.0.113.1', { questions: [] })],
    ['the question itself', (message) => message],
    ['too few bytes', (message) => message.subarray(0, 7)],
  ])('and an answer with %s is not taken for one', async (_name, forge) => {
    answer = (message, peer) => {
      upstream.send(forge(message), peer.port, peer.address, () => upstream.send(reply(message, '192.0.2.1'), peer.port, peer.address));
    };
    const taken = dnsPacket.decode((await ask('a.example')) ?? Buffer.alloc(0));
    expect(taken.answers).toMatchObject([{ data: '192.0.2.1' }]);
    expect(taken.id).toBe(7);
  });

  it('and an answer from another address or port never arrives', async () => {
    const other = createSocket('udp4');
    answer = (message, peer) => {
      other.send(reply(message, '203.0.113.1'), peer.port, peer.address, () =>
        upstream.send(reply(message, '192.0.2.1'), peer.port, peer.address),
      );
    };
    expect(dnsPacket.decode((await ask('a.example')) ?? Buffer.alloc(0)).answers).toMatchObject([{ data: '192.0.2.1' }]);
    other.close();
  });
});

describe('an answer is for its question alone (CoreDNS CVE-2024-0874)', () => {
  it('so what was asked without checking is never served to who wants it checked, nor kept at all', async () => {
    let served = 0;
    answer = (message, peer) => upstream.send(reply(message, `192.0.2.${++served}`), peer.port, peer.address);
    const first = dnsPacket.decode((await ask('a.example', dnsPacket.CHECKING_DISABLED)) ?? Buffer.alloc(0));
    const second = dnsPacket.decode((await ask('a.example')) ?? Buffer.alloc(0));
    expect([first.answers, second.answers]).toMatchObject([[{ data: '192.0.2.1' }], [{ data: '192.0.2.2' }]]);
    expect(asked.map(({ packet }) => packet.flag_cd)).toEqual([true, false]);
  });
});
