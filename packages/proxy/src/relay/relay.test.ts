import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestClient, until } from '../testing/client.ts';
import { Harness, publicListener } from '../testing/harness.ts';
import { rawClient, readToEnd } from '../testing/raw-client.ts';

let harness: Harness;
beforeEach(async () => {
  harness = await Harness.create();
});
afterEach(() => harness.close());

describe('two sidecars (consul-facts S022, S028)', () => {
  it('carry what is typed there and back', async () => {
    await harness.destination('socat', await harness.echo());
    const web = await harness.source('web', 'socat');
    const client = new TestClient(web.upstreamPort).send('hello');
    await until(() => client.text === 'hello');
    client.finish();
    await client.closed();
    expect(client.ended).toBe(true);
  });

  it('carry 64 MiB each way at once, byte for byte', async () => {
    const block = randomBytes(1024 * 1024);
    const rounds = 64;
    const sent = createHash('sha256');
    for (let round = 0; round < rounds; round++) sent.update(block);
    const expected = sent.digest('hex');
    const atApplication = Promise.withResolvers<string>();
    const port = await harness.application((socket) => {
      void hashOf(socket).then(atApplication.resolve);
      void pour(socket, block, rounds);
    });
    await harness.destination('socat', port);
    const web = await harness.source('web', 'socat');
    const client = new TestClient(web.upstreamPort);
    const atClient = hashOf(client.socket);
    await pour(client.socket, block, rounds);
    expect(await atClient).toBe(expected);
    expect(await atApplication.promise).toBe(expected);
  });

  it('deliver the reply that comes after the caller has half-closed (echo hi | nc -N; Consul loses it)', async () => {
    const port = await harness.application((socket) => {
      let request = '';
      socket.on('data', (chunk: Buffer) => (request += chunk.toString()));
      socket.on('end', () => setImmediate(() => socket.end(`late reply to ${request}`)));
    });
    const { publicPort } = await harness.destination('socat', port);
    const web = await harness.source('web', 'socat');
    const client = await new TestClient(web.upstreamPort).send('hi').finish().closed();
    expect(client.text).toBe('late reply to hi');

    const foreign = await rawClient(publicPort, await harness.authority.issue({ service: 'web' }), { allowHalfOpen: true });
    foreign.end('hi');
    expect((await readToEnd(foreign)).toString()).toBe('late reply to hi');
  });

  it('let the destination half-close first', async () => {
    const received = Promise.withResolvers<string>();
    const port = await harness.application((socket) => {
      socket.end('server speaks first');
      let text = '';
      socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
      socket.on('end', () => received.resolve(text));
    });
    await harness.destination('socat', port);
    const web = await harness.source('web', 'socat');
    const client = new TestClient(web.upstreamPort);
    await until(() => client.ended);
    client.send('still here').finish();
    expect(await received.promise).toBe('still here');
    expect(client.text).toBe('server speaks first');
  });

  it('hold a bounded amount for a reader that does not read', async () => {
    let application: Socket | undefined;
    const port = await harness.application((socket) => {
      application = socket;
      socket.pause();
    });
    await harness.destination('socat', port);
    const web = await harness.source('web', 'socat');
    const client = new TestClient(web.upstreamPort);
    await once(client.socket, 'connect');
    const block = Buffer.alloc(1024 * 1024);
    let accepted = 0;
    // The kernel's buffers of four sockets and ours take some; then the writer must be stopped.
    while (accepted < 256 && (await writes(client.socket, block))) accepted++;
    expect(accepted).toBeLessThan(64);
    await until(() => application !== undefined);
    application?.resume();
    await until(() => client.socket.writableLength === 0);
  });

  it('pass a reset on as a reset', async () => {
    const failure = Promise.withResolvers<Error>();
    const port = await harness.application((socket) => {
      socket.on('error', failure.resolve);
      socket.resume();
    });
    await harness.destination('socat', port);
    const web = await harness.source('web', 'socat');
    const client = new TestClient(web.upstreamPort).send('x');
    await until(() => web.proxy.openStreams === 1);
    client.socket.resetAndDestroy();
    expect((await failure.promise).message).toContain('ECONNRESET');
    await until(() => web.proxy.openStreams === 0);
  });
});

/** True when the bytes left for the kernel soon; false when they stay. */
async function writes(socket: Socket, block: Buffer): Promise<boolean> {
  const written = new Promise<boolean>((resolve) => socket.write(block, () => resolve(true)));
  return Promise.race([written, new Promise<boolean>((resolve) => setTimeout(resolve, 300, false))]);
}

async function pour(socket: Socket, block: Buffer, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) if (!socket.write(block)) await once(socket, 'drain');
  socket.end();
}

function hashOf(socket: Socket): Promise<string> {
  const hash = createHash('sha256');
  return new Promise((resolve) => {
    socket.on('data', (chunk: Buffer) => hash.update(chunk));
    socket.on('end', () => resolve(hash.digest('hex')));
  });
}

it('reaches a local service on a unix socket', async () => {
  const { createServer } = await import('node:net');
  const { mkdtempSync, rmSync } = await import('node:fs');
  const { tmpdir } = await import('node:os');
  const { join } = await import('node:path');
  const folder = mkdtempSync(join(tmpdir(), 'lictor-proxy-'));
  const path = join(folder, 'app.sock');
  const server = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket)).listen(path);
  await once(server, 'listening');
  const socat = await harness.sidecar('socat', { publicListener: { ...publicListener(0), applicationSocketPath: path } });
  harness.addInstance('socat', socat.publicPort);
  const web = await harness.source('web', 'socat');
  expect((await new TestClient(web.upstreamPort).send('a').finish().closed()).text).toBe('a');
  server.close();
  rmSync(folder, { recursive: true });
});
