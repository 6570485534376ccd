import { connect, createServer, type Server, type Socket } from 'node:net';
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestAgent } from './support/agent.ts';
import { eventually, freePorts, type TestProcess } from './support/process.ts';

/** Live revocation and rotation through whole processes: design.md 7.1, 7.7; issue text 4.2. */
const CONNECTIONS = 100;
const TRANSFER_BYTES = 48 * 2 ** 20;

describe('two callers of one service', () => {
  let agent: TestAgent;
  let echo: Server;
  let echoPort: number;
  let aliceProxy: TestProcess;
  const upstream: Record<'alice' | 'bob', number> = { alice: 0, bob: 0 };

  beforeAll(async () => {
    agent = await TestAgent.create();
    echo = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.pipe(socket);
    });
    await new Promise<void>((listening) => echo.listen(0, '127.0.0.1', listening));
    const address = echo.address();
    echoPort = typeof address === 'object' && address !== null ? address.port : 0;
    [upstream.alice = 0, upstream.bob = 0] = await freePorts(2);
    await agent.start('-dev', '-node=revocation');
    await register({ Name: 'echo', Port: echoPort, Connect: { SidecarService: {} } });
    for (const name of ['alice', 'bob'] as const) {
      const upstreams = [{ DestinationName: 'echo', LocalBindPort: upstream[name] }];
      await register({ Name: name, Connect: { SidecarService: { Proxy: { Upstreams: upstreams } } } });
    }
    const proxies = ['echo', 'alice', 'bob'].map((name) => agent.spawn('lictor', 'connect', 'proxy', '-sidecar-for', name));
    aliceProxy = proxies[1] as TestProcess;
    await Promise.all(proxies.map((proxy) => proxy.waitFor(/ready to serve/)));
    for (const name of ['alice', 'bob'] as const) await eventually(`${name} reaches echo`, () => echoes(upstream[name]));
  });
  afterAll(async () => {
    await agent.stop();
    echo.close();
  });

  const register = (service: unknown) => agent.json('/v1/agent/service/register', { method: 'PUT', body: JSON.stringify(service) });

  it('a deny closes every connection of the denied one within a second, none of the other, and a transfer goes on byte-exact', async () => {
    const alice = await openMany(upstream.alice, CONNECTIONS);
    const bob = await openMany(upstream.bob, CONNECTIONS);
    const transfer = roundTrip(upstream.bob, TRANSFER_BYTES);

    const denied = await agent.lictor('intention', 'create', '-deny', 'alice', 'echo');
    expect(denied.stdout).toBe('Created: alice => echo (deny)\n');
    const deniedAtMs = performance.now();
    await Promise.all(alice.map((connection) => connection.closed));
    expect(performance.now() - deniedAtMs).toBeLessThan(1000);

    expect(await transfer).toBe(true);
    expect(bob.every((connection) => !connection.socket.closed)).toBe(true);
    const stillEchoing = await Promise.all(bob.map((connection) => exchange(connection.socket)));
    expect(stillEchoing.every(Boolean)).toBe(true);
    await aliceProxy.waitFor(/connection revoked: upstream=echo reason=".*alice.*echo/);
    for (const connection of bob) connection.socket.destroy();
    expect((await agent.lictor('intention', 'delete', 'alice', 'echo')).code).toBe(0);
    await eventually('alice reaches echo again', () => echoes(upstream.alice));
  });

  it('a CA rotation under load fails no connection, and open ones go on', async () => {
    const open = await openMany(upstream.bob, 10);
    let failures = 0;
    let attempts = 0;
    let rotating = true;
    const load = Promise.all(
      Array.from({ length: 4 }, async () => {
        while (rotating) {
          attempts++;
          if (!(await echoes(upstream.bob))) failures++;
        }
      }),
    );
    const before = await agent.json<{ ActiveRootID: string }>('/v1/connect/ca/roots');
    const rotated = await agent.json('/v1/connect/ca/configuration', {
      method: 'PUT',
      body: JSON.stringify({ Provider: 'consul', Config: { PrivateKeyType: 'ec', PrivateKeyBits: 384 } }),
    });
    expect(rotated).toBeNull();
    const after = await agent.json<{ ActiveRootID: string }>('/v1/connect/ca/roots');
    expect(after.ActiveRootID).not.toBe(before.ActiveRootID);
    // New leaves come within the rotation spread (consul-facts P023: 0 to 30 s).
    await eventually('the leaf comes from the new root', () => leafIsUnder(after.ActiveRootID), 45_000);
    const rotatedAt = attempts;
    await eventually('many connections under the new leaf', async () => attempts > rotatedAt + 200);
    rotating = false;
    await load;
    expect(attempts).toBeGreaterThan(100);
    expect(failures).toBe(0);
    expect((await Promise.all(open.map((connection) => exchange(connection.socket)))).every(Boolean)).toBe(true);
    for (const connection of open) connection.socket.destroy();
  }, 90_000);

  async function leafIsUnder(rootId: string): Promise<boolean> {
    const roots = await agent.json<{ Roots: { ID: string; RootCert: string }[] }>('/v1/connect/ca/roots');
    const leaf = await agent.json<{ CertPEM: string }>('/v1/agent/connect/ca/leaf/bob');
    const root = roots.Roots.find((candidate) => candidate.ID === rootId);
    const { X509Certificate } = await import('node:crypto');
    return root !== undefined && new X509Certificate(leaf.CertPEM).verify(new X509Certificate(root.RootCert).publicKey);
  }
});

interface Open {
  readonly socket: Socket;
  readonly closed: Promise<void>;
}

async function openMany(port: number, count: number): Promise<Open[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const socket = connect(port, '127.0.0.1');
      const closed = new Promise<void>((done) => socket.on('close', () => done()));
      socket.on('error', () => undefined);
      if (!(await exchange(socket))) throw new Error('no echo on a new connection');
      return { socket, closed };
    }),
  );
}

/** Whether a few bytes come back. */
function exchange(socket: Socket): Promise<boolean> {
  return new Promise((done) => {
    const finish = (echoed: boolean): void => {
      socket.off('data', onData);
      socket.off('close', onClose);
      done(echoed);
    };
    const onData = (): void => finish(true);
    const onClose = (): void => finish(false);
    socket.on('data', onData);
    socket.on('close', onClose);
    socket.write('ping');
  });
}

async function echoes(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  const echoed = await exchange(socket);
  socket.destroy();
  return echoed;
}

/** Sends random bytes and compares what comes back by hash. */
function roundTrip(port: number, length: number): Promise<boolean> {
  return new Promise((done) => {
    const sent = createHash('sha256');
    const received = createHash('sha256');
    let receivedBytes = 0;
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('data', (chunk: Buffer) => {
      received.update(chunk);
      receivedBytes += chunk.length;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => done(receivedBytes === length && sent.digest('hex') === received.digest('hex')));
    let written = 0;
    const pump = (): void => {
      while (written < length) {
        const chunk = randomBytes(Math.min(65_536, length - written));
        sent.update(chunk);
        written += chunk.length;
        if (!socket.write(chunk)) return void socket.once('drain', pump);
      }
      socket.end();
    };
    pump();
    socket.on('end', () => socket.destroy());
  });
}
