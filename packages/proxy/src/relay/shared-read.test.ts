import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import * as tls from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { createAuthority } from '../testing/authority.ts';
import { until } from '../testing/client.ts';
import { readShared } from './shared-read.ts';

const open: (Server | Socket)[] = [];
afterEach(() => {
  for (const each of open.splice(0))
    if ('destroy' in each) each.destroy();
    else each.close();
});

type Pair = readonly [dialed: Socket, accepted: Socket];

async function pairOf(server: Server, event: string, dial: (port: number) => Socket): Promise<Pair> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const accepted = once(server, event);
  const dialed = dial(typeof address === 'object' ? (address?.port ?? 0) : 0);
  const [socket] = (await accepted) as [Socket];
  open.push(server, dialed, socket);
  return [dialed, socket];
}

function plain(): Promise<Pair> {
  return pairOf(createServer({ allowHalfOpen: true, pauseOnConnect: true }), 'connection', (port) =>
    connect({ port, host: '127.0.0.1', allowHalfOpen: true }),
  );
}

async function secured(): Promise<Pair> {
  const authority = await createAuthority();
  const leaf = await authority.issue({ service: 'web' });
  const server = tls.createServer({ cert: leaf.CertPEM, key: leaf.PrivateKeyPEM ?? '' });
  return pairOf(server, 'secureConnection', (port) => tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false }));
}

interface Collected {
  text: string;
  readonly memory: Set<ArrayBufferLike>;
}

function collect(socket: Socket): Collected {
  const collected: Collected = { text: '', memory: new Set() };
  readShared(socket, (chunk) => {
    collected.text += chunk.toString('latin1');
    collected.memory.add(chunk.buffer);
  });
  return collected;
}

describe('reading into a shared buffer', () => {
  it.each([
    ['plain', plain],
    ['TLS', secured],
  ])('uses one memory for dialled and accepted %s sockets', async (_name, pair) => {
    const [dialed, accepted] = await pair();
    const both = [collect(dialed), collect(accepted)];
    dialed.resume();
    accepted.resume();
    for (const round of ['a', 'b', 'c']) {
      dialed.write(round);
      accepted.write(round);
      await until(() => both.every(({ text }) => text.endsWith(round)));
    }
    expect(both.map(({ text }) => text)).toEqual(['abc', 'abc']);
    expect(new Set(both.flatMap(({ memory }) => [...memory])).size).toBe(1);
  });

  it('gives first what had been read before, and ends after the last byte', async () => {
    const [dialed, accepted] = await plain();
    dialed.write('early ');
    accepted.read(0);
    await until(() => accepted.readableLength > 0);
    const received = collect(accepted);
    let ended = false;
    accepted.once('end', () => (ended = true));
    accepted.resume();
    dialed.end('late');
    await until(() => ended);
    expect(received.text).toBe('early late');
  });

  it('stops at a pause and loses nothing', async () => {
    const [dialed, accepted] = await plain();
    let paused = 0;
    let bytes = 0;
    readShared(accepted, (chunk) => {
      expect(accepted.isPaused()).toBe(false);
      bytes += chunk.length;
      accepted.pause();
      paused++;
      setImmediate(() => accepted.resume());
    });
    accepted.resume();
    dialed.end(Buffer.alloc(8 * 1024 * 1024));
    await once(accepted, 'end');
    expect(bytes).toBe(8 * 1024 * 1024);
    expect(paused).toBeGreaterThan(8);
  });
});
