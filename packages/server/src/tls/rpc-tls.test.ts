import { once } from 'node:events';
import { connect as connectPlain } from 'node:net';
import { connect, type ConnectionOptions } from 'node:tls';
import * as grpc from '@grpc/grpc-js';
import { Secret } from '@lictor/protocol';
import { GrpcTransport, type Message } from '@lictor/raft';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createPeerRpcService, PeerRpcClient, RpcListener } from '../peer-rpc/index.ts';
import { counters, QUIET } from '../peer-rpc/testing/peers.ts';
import { RpcChannelCredentials } from './channel-credentials.ts';
import { RpcTls } from './rpc-tls.ts';
import { RpcServerCredentials } from './server-credentials.ts';
import { buildSecureContext, contextOptions } from './secure-context.ts';
import { type AgentCa, createAgentCa, EVERYTHING_VERIFIED } from './testing/certificates.ts';
import type { RpcTlsMaterial, RpcTlsOptions } from './types.ts';

const SERVER = 'server.dc1.consul';
const CLIENT = 'client.dc1.consul';
const HOSTNAME_ANY = { ...EVERYTHING_VERIFIED, verifyServerHostname: false };

let ca: AgentCa;
let otherCa: AgentCa;
let server: RpcTlsMaterial;
let client: RpcTlsMaterial;
beforeAll(async () => {
  [ca, otherCa] = await Promise.all([createAgentCa(), createAgentCa()]);
  [server, client] = await Promise.all([ca.material(SERVER), ca.material(CLIENT)]);
});

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

describe('servers with certificates of one CA that name them', () => {
  it('call each other, whatever the address', async () => {
    const { port } = await listen(new RpcTls(EVERYTHING_VERIFIED, server));
    const other = new RpcTls(EVERYTHING_VERIFIED, await ca.material(SERVER, 'b.server.dc1.consul'));
    expect(await call(port, other.channelCredentials)).toBe('served');
  });

  it('speak TLS 1.3 only when told so', async () => {
    const { port } = await listen(new RpcTls({ ...EVERYTHING_VERIFIED, minVersion: 'TLSv1.3' }, server));
    expect(await handshake(port, client, {})).toBe('TLSv1.3');
    expect(await handshake(port, client, { maxVersion: 'TLSv1.2' })).toMatch(/alert protocol version/i);
  });

  it('speak TLS 1.2 with the suites that they are told, and no other', async () => {
    const ciphers = 'ECDHE-ECDSA-AES256-GCM-SHA384';
    const { port } = await listen(new RpcTls({ ...EVERYTHING_VERIFIED, ciphers }, server));
    expect(await handshake(port, client, { maxVersion: 'TLSv1.2', ciphers })).toBe('TLSv1.2');
    expect(await handshake(port, client, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' })).toMatch(
      /handshake failure/i,
    );
  });

  it('let nobody take up an old session: each connection is verified anew (security.md, Envoy 2022-21654)', async () => {
    const { port } = await listen(new RpcTls(EVERYTHING_VERIFIED, server));
    const socket = tlsSocket(port, client, { maxVersion: 'TLSv1.2' });
    await once(socket, 'secureConnect');
    expect(socket.getTLSTicket()).toBeUndefined();
    const session = socket.getSession();
    socket.destroy();
    const again = tlsSocket(port, client, { maxVersion: 'TLSv1.2', session });
    await once(again, 'secureConnect');
    expect(again.isSessionReused()).toBe(false);
    again.destroy();
  });
});

describe('verify_incoming, on the wire (CVE-2019-9764, CVE-2018-19653)', () => {
  it('refuses callers without a certificate, in plain text, or of another CA', async () => {
    const { port, served } = await listen(new RpcTls(EVERYTHING_VERIFIED, server));
    const stranger = new RpcTls(EVERYTHING_VERIFIED, { ...(await otherCa.material(SERVER)), caPems: [ca.pem] });
    for (const credentials of [anonymous(), grpc.credentials.createInsecure(), stranger.channelCredentials]) {
      await expect(call(port, credentials)).rejects.toMatchObject({ code: 'unavailable' });
    }
    expect(served()).toBe(0);
    expect(await call(port, new RpcTls(EVERYTHING_VERIFIED, server).channelCredentials)).toBe('served');
  });

  it('off, lets callers without a certificate in', async () => {
    const { port } = await listen(new RpcTls({ ...EVERYTHING_VERIFIED, verifyIncoming: false }, server));
    expect(await call(port, anonymous())).toBe('served');
  });
});

describe('verify_outgoing, on the wire', () => {
  it('refuses servers of another CA, and those that speak plain text', async () => {
    const caller = new RpcTls(HOSTNAME_ANY, server).channelCredentials;
    const stranger = await listen(new RpcTls({ ...HOSTNAME_ANY, verifyIncoming: false }, await otherCa.material(SERVER)));
    await expect(call(stranger.port, caller)).rejects.toMatchObject({ code: 'unavailable' });
    const plain = await listen(undefined);
    await expect(call(plain.port, caller)).rejects.toMatchObject({ code: 'unavailable' });
    expect(stranger.served() + plain.served()).toBe(0);
  });
});

describe('verify_server_hostname, on the wire', () => {
  it.each([
    ["a client agent's", CLIENT],
    ["another datacenter's", 'server.dc2.consul'],
    ['a wildcard', '*.dc1.consul'],
    ['a longer name', `${SERVER}.example.com`],
  ])('refuses a server with %s certificate', async (_what, name) => {
    const { port, served } = await listen(new RpcTls(EVERYTHING_VERIFIED, await ca.material(name)));
    await expect(call(port, new RpcTls(EVERYTHING_VERIFIED, server).channelCredentials)).rejects.toMatchObject({ code: 'unavailable' });
    expect(served()).toBe(0);
    expect(await call(port, new RpcTls(HOSTNAME_ANY, server).channelCredentials)).toBe('served');
  });
});

describe('Raft (CVE-2021-37219)', () => {
  it("takes nothing from a client agent's certificate, though its CA is the right one", async () => {
    const { port, heard, denied } = await listenForRaft(EVERYTHING_VERIFIED);
    speakRaft(port, new RpcTls(HOSTNAME_ANY, client));
    await until(() => denied() > 0);
    expect(heard).toEqual([]);
  });

  it("takes nothing from another datacenter's server", async () => {
    const { port, heard, denied } = await listenForRaft(EVERYTHING_VERIFIED);
    speakRaft(port, new RpcTls({ ...EVERYTHING_VERIFIED }, await ca.material('server.dc2.consul')));
    await until(() => denied() > 0);
    expect(heard).toEqual([]);
  });

  it('takes what a server says', async () => {
    const { port, heard } = await listenForRaft(EVERYTHING_VERIFIED);
    speakRaft(port, new RpcTls(EVERYTHING_VERIFIED, await ca.material(SERVER)));
    await until(() => heard.length > 0);
    expect(heard[0]).toMatchObject({ type: 'heartbeat', from: 'a' });
  });

  it('is refused to callers without a verified certificate, when the name is asked for', () => {
    const { refusalOfServer } = new RpcTls(EVERYTHING_VERIFIED, server);
    expect(refusalOfServer({ getAuthContext: () => ({}) })).toMatch(/not valid for server\.dc1\.consul/);
    expect(new RpcTls(HOSTNAME_ANY, server).refusalOfServer({ getAuthContext: () => ({}) })).toBeUndefined();
  });
});

describe('a reload', () => {
  it('replaces CA and certificate of the listener and of channels that live on', async () => {
    const tls = new RpcTls(EVERYTHING_VERIFIED, server);
    const { port } = await listen(tls);
    const other = new RpcTls(EVERYTHING_VERIFIED, server);
    const before = other.channelCredentials;
    expect(await call(port, before)).toBe('served');
    const rotated = await otherCa.material(SERVER);
    tls.replace(rotated);
    await expect(call(port, before)).rejects.toMatchObject({ code: 'unavailable' });
    other.replace(rotated);
    expect(await call(port, before)).toBe('served');
  });

  it('keeps what there was when the new files cannot be used', async () => {
    const tls = new RpcTls(EVERYTHING_VERIFIED, server);
    const { port } = await listen(tls);
    const mismatched = { ...server, keyPem: client.keyPem };
    for (const bad of [mismatched, { ...server, certPem: 'nothing' }, { ...server, caPems: [] }, { ...server, keyPem: new Secret('') }]) {
      expect(() => tls.replace(bad)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
    }
    expect(await call(port, tls.channelCredentials)).toBe('served');
  });
});

describe('hostile handshakes', () => {
  it('that never come to an end are ended (etcd 2026-73500)', async () => {
    const { port } = await listen(new RpcServerCredentials(true, contextOptions(EVERYTHING_VERIFIED, server), 50));
    const socket = connectPlain(port, '127.0.0.1');
    socket.resume();
    socket.on('error', () => undefined);
    await once(socket, 'close');
    const fields = new RpcTls(EVERYTHING_VERIFIED, server).serverCredentials._getConstructorOptions();
    expect(fields?.handshakeTimeout).toBe(5_000);
  });

  it('of any bytes end the connection, not the server', async () => {
    const tls = new RpcTls(EVERYTHING_VERIFIED, server);
    const { port } = await listen(tls);
    for (let round = 0; round < 200; round++) {
      const socket = connectPlain(port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.resume();
      socket.end(Buffer.from([0x16, 3, 1, round, ...Array.from({ length: round }, (_, at) => (at * 31 + round) & 0xff)]));
      await once(socket, 'close');
    }
    expect(await call(port, tls.channelCredentials)).toBe('served');
  });
});

async function listen(tls: RpcTls | grpc.ServerCredentials | undefined): Promise<{ readonly port: number; readonly served: () => number }> {
  let count = 0;
  const credentials = tls instanceof RpcTls ? tls.serverCredentials : tls;
  const listener = new RpcListener({ host: '127.0.0.1', port: 0, ...(credentials === undefined ? {} : { credentials }) }, QUIET);
  const service = createPeerRpcService(
    {},
    () => {
      count++;
      return Promise.resolve('served');
    },
    QUIET,
  );
  listener.server.addService(service.definition, service.implementation);
  cleanups.push(() => listener.stop(0));
  return { port: await listener.start(), served: () => count };
}

async function call(port: number, credentials: grpc.ChannelCredentials): Promise<unknown> {
  const caller = new PeerRpcClient({ credentials: () => credentials }, QUIET);
  try {
    return await caller.call(`127.0.0.1:${port}`, 'KVS.Get', {}, {});
  } finally {
    caller.close();
  }
}

/** Without a certificate. */
function anonymous(): grpc.ChannelCredentials {
  const context = buildSecureContext({ ca: ca.pem });
  return new RpcChannelCredentials(SERVER, {}, () => context);
}

function tlsSocket(port: number, { caPems, certPem, keyPem }: RpcTlsMaterial, more: ConnectionOptions): ReturnType<typeof connect> {
  const ids = { ca: [...caPems], cert: certPem, key: keyPem.reveal(), servername: SERVER, ALPNProtocols: ['h2'] };
  return connect({ host: '127.0.0.1', port, ...ids, ...more });
}

/** The version agreed on, or what went wrong. */
function handshake(port: number, material: RpcTlsMaterial, more: ConnectionOptions): Promise<string> {
  return new Promise((resolve) => {
    const socket = tlsSocket(port, material, more);
    socket.on('error', (error) => resolve(error.message));
    socket.on('secureConnect', () => {
      resolve(String(socket.getProtocol()));
      socket.destroy();
    });
  });
}

async function listenForRaft(options: RpcTlsOptions) {
  const tls = new RpcTls(options, server);
  const { counts, metrics } = counters();
  const listener = new RpcListener({ host: '127.0.0.1', port: 0, credentials: tls.serverCredentials }, QUIET);
  const raft = { id: 'b', clusterId: 'c', server: listener.server, authorize: tls.refusalOfServer };
  const transport = new GrpcTransport(raft, { ...QUIET, metrics });
  const heard: Message[] = [];
  await transport.start({ receive: (message) => void heard.push(message), receiveSnapshot: () => Promise.reject(new Error('none')) });
  cleanups.push(async () => {
    await transport.stop();
    await listener.stop(0);
  });
  return { port: await listener.start(), heard, denied: () => counts.get('raft.rpc.denied') ?? 0 };
}

/** As server `a`, again and again. */
function speakRaft(port: number, tls: RpcTls): void {
  const options = { id: 'a', clusterId: 'c', server: new grpc.Server(), clientCredentials: () => tls.channelCredentials };
  const transport = new GrpcTransport(options, QUIET);
  transport.setPeers(new Map([['b', `127.0.0.1:${port}`]]));
  const timer = setInterval(() => transport.send({ type: 'heartbeat', from: 'a', to: 'b', term: 1, commit: 0, round: 1 }), 5);
  cleanups.push(async () => {
    clearInterval(timer);
    await transport.stop();
  });
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
