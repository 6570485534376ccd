import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { seededRandom } from '@lictor/protocol/testing';
import { TestClient, until } from '../testing/client.ts';
import { Harness, publicListener, type RunningProxy } from '../testing/harness.ts';
import { logged } from '../testing/logs.ts';
import { rawClient, readToEnd } from '../testing/raw-client.ts';
import { encodeFrame, FRAME, TUNNEL_PROTOCOL } from '../tunnel/frame.ts';

let harness: Harness;
let socat: RunningProxy;
beforeEach(async () => {
  harness = await Harness.create();
  socat = await harness.destination('socat', await harness.echo());
});
afterEach(() => harness.close());

/** Writes and goes away, or waits to be thrown out. */
async function assault(bytes: Buffer, leave: 'end' | 'reset' | 'wait'): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port: socat.publicPort });
  socket.on('error', () => undefined);
  socket.resume();
  socket.write(bytes);
  if (leave === 'end') socket.end();
  else if (leave === 'reset') socket.once('connect', () => socket.resetAndDestroy());
  if (!socket.closed) await once(socket, 'close');
}

async function stillServes(): Promise<void> {
  const web = await harness.source('web', 'socat');
  expect((await new TestClient(web.upstreamPort).send('alive').finish().closed()).text).toBe('alive');
}

/** A ClientHello of OpenSSL, to be damaged. */
async function clientHello(): Promise<Buffer> {
  const { createServer } = await import('node:net');
  const hello = Promise.withResolvers<Buffer>();
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (chunk: Buffer) => {
      hello.resolve(chunk);
      socket.destroy();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await rawClient(typeof address === 'object' && address !== null ? address.port : 0, undefined, {
    ALPNProtocols: [TUNNEL_PROTOCOL],
  }).catch(() => undefined);
  server.close();
  return hello.promise;
}

describe('hostile handshakes (Node CVE-2026-21637, 2025-59465; security.md 5.3)', () => {
  it('ten thousand of them end nothing but themselves', async () => {
    const hello = await clientHello();
    const random = seededRandom(7);
    const leaves = ['end', 'reset', 'end'] as const;
    for (let batch = 0; batch < 250; batch++) {
      await Promise.all(
        Array.from({ length: 40 }, (_, index) => {
          const bytes =
            index % 4 === 0 ? randomBytes(1 + Math.trunc(random.float() * 400)) : damaged(hello, random.float(), random.float());
          return assault(bytes, leaves[index % leaves.length] ?? 'end');
        }),
      );
    }
    await stillServes();
    await until(() => socat.proxy.openStreams === 0);
  }, 120_000);

  it('do not fill the log: after a burst a few lines a second, with a count', async () => {
    for (let batch = 0; batch < 10; batch++)
      await Promise.all(Array.from({ length: 40 }, () => assault(Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'wait')));
    const errors = socat.log.lines.filter(({ message }) => message === 'TLS handshake failed');
    expect(errors.length).toBeGreaterThan(10);
    expect(errors.length).toBeLessThan(150);
  });

  it('that never finish are ended after the handshake timeout, however they trickle (etcd CVE-2026-73500)', async () => {
    const quick = await harness.sidecar('quick', { publicListener: { ...publicListener(1), handshakeTimeoutMs: 150 } });
    const hello = await clientHello();
    const socket = connect({ host: '127.0.0.1', port: quick.publicPort });
    socket.on('error', () => undefined);
    socket.resume();
    let at = 0;
    const trickle = setInterval(() => socket.write(hello.subarray(at, ++at)), 20);
    await once(socket, 'close');
    clearInterval(trickle);
    expect(at).toBeLessThan(hello.length);
    await logged(quick.log, 'TLS handshake failed', 'no handshake within 150 ms');
  });

  it('and connections beyond the limit are turned away, which says so (Envoy CVE-2020-8663)', async () => {
    const narrow = await harness.sidecar('narrow', { publicListener: { ...publicListener(1), maxConnections: 2 } });
    const leaf = await harness.authority.issue({ service: 'web' });
    const held = [
      await rawClient(narrow.publicPort, leaf, { ALPNProtocols: [TUNNEL_PROTOCOL] }),
      await rawClient(narrow.publicPort, leaf, { ALPNProtocols: [TUNNEL_PROTOCOL] }),
    ];
    await expect(rawClient(narrow.publicPort, leaf)).rejects.toThrow();
    await logged(narrow.log, 'connection refused', '2 connections are open');
    for (const socket of held) socket.destroy();
  });
});

describe('hostile frames from a peer with a valid certificate', () => {
  it('close the tunnel and nothing else', async () => {
    const leaf = await harness.authority.issue({ service: 'mallory' });
    const random = seededRandom(11);
    const opened = encodeFrame(FRAME.open, 'socat');
    for (let batch = 0; batch < 15; batch++) {
      await Promise.all(
        Array.from({ length: 20 }, async (_, index) => {
          const socket = await rawClient(socat.publicPort, leaf, { ALPNProtocols: [TUNNEL_PROTOCOL] });
          const garbage = Buffer.from(random.bytes(1 + Math.trunc(random.float() * 300)));
          socket.write(index % 2 === 0 ? garbage : Buffer.concat([opened, garbage]));
          setTimeout(() => socket.destroy(), 200);
          await readToEnd(socket);
        }),
      );
    }
    await until(() => socat.proxy.openStreams === 0);
    await stillServes();
    await logged(socat.log, 'tunnel closed: protocol error');
  });

  it.each([
    ['a second open', [encodeFrame(FRAME.open, 'socat'), encodeFrame(FRAME.open, 'socat')]],
    ['data without a stream', [encodeFrame(FRAME.data, 'x')]],
    ['an accept', [encodeFrame(FRAME.accept)]],
    ['a replayed finish', [FRAME.open, FRAME.finish, FRAME.finish].map((type) => encodeFrame(type, type === FRAME.open ? 'socat' : ''))],
    ['data after a finish', [encodeFrame(FRAME.open, 'socat'), encodeFrame(FRAME.finish), encodeFrame(FRAME.data, 'x')]],
  ])('such as %s', async (_name, frames) => {
    const socket = await rawClient(socat.publicPort, await harness.authority.issue({ service: 'mallory' }), {
      ALPNProtocols: [TUNNEL_PROTOCOL],
    });
    socket.write(Buffer.concat(frames));
    await readToEnd(socket);
    await logged(socat.log, 'tunnel closed: protocol error', '/svc/mallory');
    await until(() => socat.proxy.openStreams === 0);
  });
});

function damaged(hello: Buffer, where: number, how: number): Buffer {
  const copy = Buffer.from(hello);
  const at = Math.trunc(where * copy.length);
  copy[at] = (copy[at] ?? 0) ^ (1 + Math.trunc(how * 255));
  return how < 0.3 ? copy.subarray(0, at) : copy;
}
