import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { FakeClock } from '@lictor/protocol/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { Door } from './door.ts';
import { ENROLL_PREFACE } from './protocol.ts';
import { QUIET } from './testing/peers.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Injected {
  readonly socket: Socket;
  readonly text: () => string;
}

/** A door whose ways lead to lists. */
async function open(hasEnroll = true, clock = new FakeClock()) {
  const way = () => {
    const taken: Injected[] = [];
    const injectConnection = (socket: Socket): void => {
      let text = '';
      socket.on('data', (chunk) => (text += String(chunk)));
      socket.resume();
      taken.push({ socket, text: () => text });
    };
    return { taken, injector: { injectConnection } as never };
  };
  const [tls, plain, enroll] = [way(), way(), way()];
  const options = { host: '127.0.0.1', port: 0, firstWordTimeoutMs: 5_000, maxConnectionsPerClient: 0 };
  const door = new Door(
    { ...options, tls: tls.injector, plain: plain.injector, ...(hasEnroll && { enroll: enroll.injector }) },
    { ...QUIET, clock },
  );
  const port = await door.open();
  cleanups.push(async () => {
    door.clear();
    await door.close();
  });
  return { port, clock, tls: tls.taken, plain: plain.taken, enroll: enroll.taken };
}

function dial(port: number, bytes: Uint8Array): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.resume();
  socket.write(bytes);
  cleanups.push(() => socket.destroy());
  return socket;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

const knock = (rest = ''): Buffer => Buffer.concat([Buffer.of(ENROLL_PREFACE), Buffer.from(rest)]);

describe('connections that begin as those of callers without a certificate', () => {
  it('go their own way, without their first byte, whether or not more comes with it', async () => {
    const { port, tls, plain, enroll } = await open();
    dial(port, knock('hello'));
    await until(() => enroll.length === 1 && enroll[0]?.text() === 'hello');
    const alone = dial(port, knock());
    await until(() => enroll.length === 2);
    alone.write('later');
    await until(() => enroll[1]?.text() === 'later');
    expect([tls.length, plain.length]).toEqual([0, 0]);
  });

  it('are closed where there is no such way', async () => {
    const { port, plain } = await open(false);
    await once(dial(port, knock('PRI * HTTP/2.0')), 'close');
    expect(plain).toEqual([]);
  });

  it('are so many at a time, and those with a certificate do not notice', async () => {
    const { port, tls, enroll } = await open();
    for (let count = 0; count < 256; count++) dial(port, knock());
    await until(() => enroll.length === 256);
    await once(dial(port, knock()), 'close');
    dial(port, Buffer.of(0x16, 3, 1));
    await until(() => tls.length === 1);
    enroll[0]?.socket.destroy();
    await until(() => enroll[0]?.socket.closed === true);
    dial(port, knock());
    await until(() => enroll.length === 257);
  });

  it('stay for half a minute at most', async () => {
    const { port, clock, enroll } = await open();
    const socket = dial(port, knock());
    await until(() => enroll.length === 1);
    await clock.advance(29_999);
    expect(enroll[0]?.socket.destroyed).toBe(false);
    await clock.advance(1);
    await once(socket, 'close');
    expect(clock.pendingTimers).toBe(0);
  });
});
