import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { FakeClock } from '@lictor/protocol/testing';
import * as grpc from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { RpcTls } from '../tls/rpc-tls.ts';
import { createAgentCa, EVERYTHING_VERIFIED } from '../tls/testing/certificates.ts';
import { PeerRpcClient } from './client.ts';
import { RpcListener, type RpcListenerOptions } from './listener.ts';
import { createPeerRpcService } from './service.ts';
import { counters, QUIET } from './testing/peers.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function listen(
  options: Partial<RpcListenerOptions> = {},
  ports = QUIET,
): Promise<{ readonly port: number; readonly listener: RpcListener }> {
  const listener = new RpcListener({ host: '127.0.0.1', port: 0, ...options }, ports);
  const service = createPeerRpcService({}, () => Promise.resolve('served'), QUIET);
  listener.server.addService(service.definition, service.implementation);
  const port = await listener.start();
  cleanups.push(() => listener.stop(0));
  return { port, listener };
}

function dial(port: number, ...bytes: readonly number[]): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.resume();
  if (bytes.length > 0) socket.write(Buffer.from(bytes));
  cleanups.push(() => socket.destroy());
  return socket;
}

async function call(port: number, credentials = grpc.credentials.createInsecure()): Promise<unknown> {
  const client = new PeerRpcClient({ credentials: () => credentials }, QUIET);
  try {
    return await client.call(`127.0.0.1:${port}`, 'KVS.Get', {}, {});
  } finally {
    client.close();
  }
}

describe('the RPC port', () => {
  it('takes TLS and plain text at once while a cluster goes over to TLS, as Consul does without verify_incoming', async () => {
    const material = await (await createAgentCa()).material('server.dc1.consul');
    const options = { ...EVERYTHING_VERIFIED, verifyIncoming: false };
    const tls = new RpcTls(options, material);
    const { port } = await listen({ credentials: tls.serverCredentials, acceptsPlain: tls.acceptsPlain });
    expect(await call(port)).toBe('served');
    expect(await call(port, tls.channelCredentials)).toBe('served');
    const before = new RpcTls({ ...options, verifyOutgoing: false, verifyServerHostname: false }, { ...material, caPems: [] });
    expect(await call(port, before.channelCredentials)).toBe('served');
    expect(new RpcTls(EVERYTHING_VERIFIED, material).acceptsPlain).toBe(false);
  });

  it('takes plain text only where it has no certificate, and counts what is neither', async () => {
    const { counts, metrics } = counters();
    const { port } = await listen({}, { ...QUIET, metrics });
    await once(dial(port, 0x16, 3, 1, 0, 5), 'close');
    expect(counts.get('rpc.peer.rejected')).toBe(1);
    expect(await call(port)).toBe('served');
  });

  it('ends connections that say nothing for 5 s (security.md, etcd 2026-73500)', async () => {
    const clock = new FakeClock();
    const { port } = await listen({}, { ...QUIET, clock });
    const socket = dial(port);
    await once(socket, 'connect');
    while (clock.pendingTimers === 0) await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(4_999);
    expect(socket.destroyed).toBe(false);
    const closed = once(socket, 'close');
    await clock.advance(1);
    await closed;
    expect(clock.pendingTimers).toBe(0);
  });

  it('takes so many connections from one address, and more as some go', async () => {
    const { counts, metrics } = counters();
    const { port } = await listen({ maxConnectionsPerClient: 3 }, { ...QUIET, metrics });
    const held = [dial(port), dial(port), dial(port)];
    await Promise.all(held.map((socket) => once(socket, 'connect')));
    await once(dial(port), 'close');
    expect(counts.get('rpc.peer.overloaded')).toBe(1);
    held[0]?.destroy();
    await expect.poll(() => call(port).catch(() => 'refused')).toBe('served');
  });

  it('takes any number for any time when told so', async () => {
    const clock = new FakeClock();
    const { port } = await listen({ maxConnectionsPerClient: 0, handshakeTimeoutMs: 0 }, { ...QUIET, clock });
    await Promise.all(Array.from({ length: 150 }, () => once(dial(port), 'connect')));
    expect(await call(port)).toBe('served');
    expect(clock.pendingTimers).toBe(0);
  });

  it('says which address is taken', async () => {
    const { port } = await listen();
    await expect(listen({ port })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining(`listen tcp 127.0.0.1:${port}`),
    });
  });

  it('is free again once it has stopped, whoever was connected', async () => {
    const { port, listener } = await listen();
    const idle = dial(port);
    const garbage = dial(port, 1, 2, 3);
    await Promise.all([once(idle, 'connect'), once(garbage, 'connect')]);
    await listener.stop(0);
    await listen({ port });
    expect(await call(port)).toBe('served');
  });
});
