import { createSocket } from 'node:dgram';
import { connect, type Socket } from 'node:net';
import { deflateRawSync } from 'node:zlib';
import { Secret } from '@lictor/protocol';
import { systemRandom } from '@lictor/protocol/system';
import { seededRandom } from '@lictor/protocol/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { Envelope, Keyring } from '../keyring/index.ts';
import { encodePacket, encodeStreamMessage } from '../wire/index.ts';
import { aliveOf } from '../testing/driven-swim.ts';
import { parseAddress } from './address.ts';
import { frame } from './framing.ts';
import { NodeTransport } from './node-transport.ts';
import { alive, KEYS, Pools, QUICK_PROFILE, until } from './testing/pools.ts';

const pools = new Pools();
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await pools.stop();
});

const [key = new Secret('')] = KEYS;
const BOTH = { label: '', verifyIncoming: true, verifyOutgoing: true };
const plain = new Envelope(BOTH, new Keyring(), systemRandom);
const sealed = new Envelope(BOTH, new Keyring([key]), systemRandom);

async function sendAll(to: string, packets: readonly Uint8Array[]): Promise<void> {
  const { host, port } = parseAddress(to, 1);
  const socket = createSocket('udp4');
  for (const packet of packets) await new Promise<void>((resolve) => socket.send(packet, port, host, () => resolve()));
  await new Promise<void>((resolve) => socket.close(() => resolve()));
}

/** What came back before the stream ended. */
function talk(to: string, bytes: Uint8Array): Promise<Buffer> {
  const { host, port } = parseAddress(to, 1);
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, host, () => socket.write(bytes));
    sockets.push(socket);
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(Buffer.concat(chunks)));
  });
}

describe('datagrams of strangers', () => {
  it('by the thousand change nothing, with a key and without', async () => {
    const random = seededRandom(1);
    const good = encodePacket([aliveOf('stranger', { address: '127.0.0.1:9' }), { type: 'dead', node: 'n1', incarnation: 9, from: 'n2' }]);
    const noise = Array.from({ length: 1500 }, (_, number) => {
      if (number % 3 === 0) return random.bytes(1 + Math.floor(random.float() * 1400));
      const packet = Uint8Array.from(number % 3 === 1 ? plain.close(good) : sealed.close(good));
      const at = 3 + Math.floor(random.float() * (packet.length - 3));
      packet[at] = (packet[at] ?? 0) ^ (1 + Math.floor(random.float() * 255));
      return packet;
    });
    const all = await pools.formed(3, { keys: [key] });
    for (const { pool } of all) await sendAll(pool.self.address, [...noise, plain.close(good)]);
    const [one] = all;
    one?.pool.setTags({ still: 'works' });
    await until(() => all.every(({ pool }) => pool.member('n1')?.tags['still'] === 'works'));
    expect(all.map(({ pool }) => [alive(pool), pool.member('stranger')])).toEqual([
      [3, undefined],
      [3, undefined],
      [3, undefined],
    ]);
  });

  it('are limited in number from one address', async () => {
    const { pool } = await pools.start('a', { profile: { ...QUICK_PROFILE, packetsPerSecond: 1, packetsBurst: 5 } });
    const join = (number: number): Uint8Array =>
      plain.close(encodePacket([aliveOf(`x${number}`, { id: '', address: `127.0.0.1:${number + 1}` })]));
    await sendAll(
      pool.self.address,
      Array.from({ length: 50 }, (_, number) => join(number)),
    );
    await until(() => pool.members().length > 1);
    expect(pool.members().length).toBeLessThan(10);
  });
});

describe('streams of strangers', () => {
  const bomb = (): Uint8Array => {
    const deflated = deflateRawSync(Buffer.alloc(64 * 1024 * 1024));
    return sealed.close(deflated, true);
  };

  it.each([
    ['that announce more than is allowed', () => Buffer.from([0xff, 0xff, 0xff, 0xff])],
    ['of noise', () => frame(seededRandom(2).bytes(500))],
    ['that unfold to more than is allowed', () => frame(bomb())],
    ['that ask nothing', () => frame(sealed.close(encodeStreamMessage({ type: 'refused', reason: 'x' })))],
  ])('%s end, and the pool goes on', async (what, make) => {
    const [one, two] = await pools.formed(2, { keys: [key] });
    const answer = await talk(one?.pool.self.address ?? '', make());
    // Only a question gets an answer that says something.
    if (what !== 'that ask nothing') expect(answer.length).toBe(0);
    two?.pool.setTags({ after: what });
    await until(() => one?.pool.member('n2')?.tags['after'] === what);
  });

  it('without the key hear that they cannot be read, and nothing else', async () => {
    const [one] = await pools.formed(1, { keys: [key] });
    const request = encodeStreamMessage({ type: 'push-pull', from: 'x', join: true, members: [], app: new Uint8Array(0) });
    const answer = await talk(one?.pool.self.address ?? '', frame(plain.close(request)));
    expect([...answer]).toEqual([0, 0, 0, 3, 1, 4, 0]);
  });

  it('that say nothing are closed after a time, and no more are open than is allowed', async () => {
    const transport = new NodeTransport({ host: '127.0.0.1', port: 0, streamTimeoutMs: 300, maxStreamsPerPeer: 4 });
    const troubles: string[] = [];
    const address = await transport.start({
      isAllowed: () => true,
      onPacket: () => undefined,
      onRequest: (_from, request) => Promise.resolve(request),
      onTrouble: (what) => troubles.push(what),
    });
    const ends = Array.from({ length: 10 }, () => talk(address, Buffer.from([0, 0, 0, 9, 1])));
    await until(() => troubles.filter((what) => what === 'too-many-streams').length === 6);
    // All end: six at once, four when their time is over.
    expect((await Promise.all(ends)).map(({ length }) => length)).toEqual(Array.from({ length: 10 }, () => 0));
    expect(await transport.exchange(address, Buffer.from('echo'), 1000)).toEqual(Buffer.from('echo'));
    await transport.stop();
  });
});

describe('streams that are being read', () => {
  it('hold no more than is allowed together', async () => {
    const transport = new NodeTransport({ host: '127.0.0.1', port: 0, streamTimeoutMs: 5000, maxHeldBytes: 100_000 });
    const troubles: string[] = [];
    const address = await transport.start({
      isAllowed: () => true,
      onPacket: () => undefined,
      onRequest: (_from, request) => Promise.resolve(request),
      onTrouble: (what) => troubles.push(what),
    });
    const part = Buffer.concat([Buffer.from([0, 0, 0xff, 0xff]), Buffer.alloc(40_000)]);
    const ends = [talk(address, part), talk(address, part), talk(address, part)];
    await until(() => troubles.includes('too-many-streams'));
    await Promise.race(ends);
    for (const socket of sockets.splice(0)) socket.destroy();
    await Promise.all(ends);
    // What was held is free again.
    expect(await transport.exchange(address, Buffer.alloc(90_000, 1), 2000)).toEqual(Buffer.alloc(90_000, 1));
    await transport.stop();
  });
});

describe('members that misbehave', () => {
  it('with an address outside the allowed networks are not known', async () => {
    const { pool, logger } = await pools.start('a', { allowedNetworks: ['127.0.0.0/8'] });
    await sendAll(pool.self.address, [plain.close(encodePacket([aliveOf('evil', { address: '10.1.1.1:8301' })]))]);
    await until(() => logger.lines.some(({ message }) => message === 'member is not accepted'));
    expect(pool.members()).toHaveLength(1);
  });

  it('another label is another pool', async () => {
    const [one] = await pools.formed(1, { label: 'blue' });
    const other = await pools.start('x', { label: 'green' });
    const { failures } = await other.pool.join([one?.pool.self.address ?? '']);
    expect(failures[0]?.error.message).toContain('or another label');
  });
});
