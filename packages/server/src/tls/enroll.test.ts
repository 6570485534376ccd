import * as grpc from '@grpc/grpc-js';
import { LictorError, Secret } from '@lictor/protocol';
import { systemClock } from '@lictor/protocol/system';
import { createTestCa, type TestCa } from '@lictor/pki/testing';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AGENT_CALLS, createPeerRpcService, ENROLL_CALLS, ENROLL_LIMITS, PeerRpcClient, RpcListener } from '../peer-rpc/index.ts';
import { CALLS } from '../peer-rpc/protocol.ts';
import { QUIET } from '../peer-rpc/testing/peers.ts';
import { AgentTls, enrollTls } from './agent-tls.ts';
import { RpcTls } from './rpc-tls.ts';
import { type AgentCa, createAgentCa, EVERYTHING_VERIFIED } from './testing/certificates.ts';
import type { RpcTlsMaterial } from './types.ts';

const HOSTNAME_ANY = { ...EVERYTHING_VERIFIED, verifyServerHostname: false };
const NO_CERT = { certPem: '', keyPem: new Secret('') };

let ca: AgentCa;
let mesh: TestCa;
let server: RpcTlsMaterial;
beforeAll(async () => {
  ca = await createAgentCa();
  mesh = await createTestCa({ nowMs: systemClock.now() - 60_000 });
  server = await ca.material('server.dc1.consul');
});

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A server's port with all its services, each answering with its name. */
async function listen(options = EVERYTHING_VERIFIED): Promise<{ readonly tls: RpcTls; readonly address: string }> {
  const tls = new RpcTls(options, server);
  const { serverCredentials, enrollCredentials } = tls;
  const listener = new RpcListener({ host: '127.0.0.1', port: 0, credentials: serverCredentials, enrollCredentials }, QUIET);
  const add = (to: grpc.Server, name: string, more: Parameters<typeof createPeerRpcService>[0]): void => {
    const { definition, implementation } = createPeerRpcService(more, () => Promise.resolve(name), QUIET);
    to.addService(definition, implementation);
  };
  add(listener.server, 'servers', { authorize: tls.refusalOfServer });
  add(listener.server, 'agents', { calls: AGENT_CALLS, authorize: tls.refusalOfAgent });
  add(listener.enrollServer, 'strangers', { calls: ENROLL_CALLS, limits: ENROLL_LIMITS });
  cleanups.push(() => listener.stop(0));
  return { tls, address: `127.0.0.1:${await listener.start()}` };
}

/** What is answered, or the code of the failure and its text. */
async function ask(address: string, credentials: grpc.ChannelCredentials, calls = AGENT_CALLS): Promise<string> {
  const client = new PeerRpcClient({ calls, credentials: () => credentials }, QUIET);
  try {
    return String(await client.call(address, 'AutoEncrypt.Sign', {}, {}));
  } catch (error) {
    const { code, message } = LictorError.from(error);
    return `${code}: ${message}`;
  } finally {
    client.close();
  }
}

async function meshAgent(more: Partial<Parameters<TestCa['issue']>[1]> = {}, id = {}): Promise<grpc.ChannelCredentials> {
  const agent = { kind: 'agent', trustDomain: mesh.trustDomain, partition: 'default', datacenter: 'dc1', node: 'n1', ...id } as const;
  return agentWith(await mesh.issue(agent, more));
}

function agentWith({ certPem, keyPem }: { readonly certPem: string; readonly keyPem: string }): grpc.ChannelCredentials {
  return new AgentTls(EVERYTHING_VERIFIED, { caPems: [ca.pem], certPem, keyPem: new Secret(keyPem) }).channelCredentials;
}

const trustOf = (from: TestCa) => ({ trustDomain: from.trustDomain, datacenter: 'dc1', rootPems: [from.rootPem], intermediatePems: [] });
const anonymous = (caPems = [ca.pem], options = EVERYTHING_VERIFIED): grpc.ChannelCredentials => enrollTls(options, { caPems, ...NO_CERT });

describe('an agent without a certificate', () => {
  it('reaches the one service that is for it', async () => {
    const { address } = await listen();
    expect(await ask(address, anonymous(), ENROLL_CALLS)).toBe('strangers');
  });

  it('reaches no other, by whichever way (CVE-2021-37219)', async () => {
    const { address, tls } = await listen();
    tls.trustMesh(trustOf(mesh));
    const atMainDoor = new AgentTls(EVERYTHING_VERIFIED, { caPems: [ca.pem], ...NO_CERT }).channelCredentials;
    for (const calls of [CALLS, AGENT_CALLS]) {
      expect(await ask(address, anonymous(), calls)).toMatch(/does not implement the method/);
      expect(await ask(address, atMainDoor, calls)).toMatch(/^unavailable/);
    }
    expect(await ask(address, await meshAgent(), ENROLL_CALLS)).toMatch(/does not implement the method/);
  });

  it('sends nothing to a server that it cannot verify by its CA and name, when it has a CA', async () => {
    const { address } = await listen();
    const otherCa = await createAgentCa();
    expect(await ask(address, anonymous([otherCa.pem]), ENROLL_CALLS)).toMatch(/^unavailable/);
    expect(await ask(address, anonymous([ca.pem], { ...EVERYTHING_VERIFIED, datacenter: 'dc2' }), ENROLL_CALLS)).toMatch(
      /server\.dc2\.consul/,
    );
    expect(await ask(address, anonymous([ca.pem], { ...HOSTNAME_ANY, datacenter: 'dc2' }), ENROLL_CALLS)).toBe('strangers');
  });

  it('believes whoever answers when it has none, as in Consul', async () => {
    const { address } = await listen();
    expect(await ask(address, anonymous([]), ENROLL_CALLS)).toBe('strangers');
  });
});

describe('a certificate of the mesh at the door of a server', () => {
  it('is none until the mesh is trusted', async () => {
    const { address, tls } = await listen();
    const agent = await meshAgent();
    expect(await ask(address, agent)).toMatch(/^unavailable/);
    tls.trustMesh(trustOf(mesh));
    expect(await ask(address, agent)).toBe('agents');
  });

  it.each([EVERYTHING_VERIFIED, HOSTNAME_ANY])(
    'of an agent lets it act as no server, whatever names it has (CVE-2021-37219): %j',
    async (options) => {
      const { address, tls } = await listen(options);
      tls.trustMesh(trustOf(mesh));
      for (const dnsNames of [['localhost'], ['server.dc1.consul']]) {
        expect(await ask(address, await meshAgent({ dnsNames }), CALLS)).toMatch(/not a server's/);
      }
    },
  );

  it('of a service, or of an agent of elsewhere, opens nothing (CVE-2021-37219)', async () => {
    const { address, tls } = await listen();
    tls.trustMesh(trustOf(mesh));
    const callers = [
      agentWith(await mesh.issue(mesh.serviceId('web'))),
      await meshAgent({}, { datacenter: 'dc2' }),
      await meshAgent({}, { trustDomain: 'other.consul' }),
    ];
    for (const caller of callers) {
      expect(await ask(address, caller)).toMatch(/of the mesh, and not of a client agent of dc1/);
      expect(await ask(address, caller, CALLS)).toMatch(/not a server's/);
    }
  });

  it('leaves servers and agents of the CA of agents what they were', async () => {
    const { address, tls } = await listen();
    tls.trustMesh(trustOf(mesh));
    const other = new RpcTls(EVERYTHING_VERIFIED, server).channelCredentials;
    expect([await ask(address, other), await ask(address, other, CALLS)]).toEqual(['agents', 'servers']);
    const { certPem, keyPem } = await ca.material('client.dc1.consul');
    const client = agentWith({ certPem, keyPem: keyPem.reveal() });
    expect(await ask(address, client)).toBe('agents');
    expect(await ask(address, client, CALLS)).toMatch(/not valid for server\.dc1\.consul/);
  });

  it('follows rotations, and stays through a reload of files', async () => {
    const { address, tls } = await listen();
    const next = await createTestCa({ nowMs: systemClock.now() - 60_000 });
    tls.trustMesh({ ...trustOf(mesh), rootPems: [mesh.rootPem, next.rootPem] });
    const agent = await meshAgent();
    expect(await ask(address, agent)).toBe('agents');
    tls.replace(server);
    expect(await ask(address, agent)).toBe('agents');
    tls.trustMesh(trustOf(next));
    expect(await ask(address, agent)).toMatch(/^unavailable/);
    expect(() => tls.trustMesh({ ...trustOf(mesh), rootPems: ['nothing'] })).toThrow();
  });

  it('makes nobody a server to an agent or to a server', async () => {
    const { certPem, keyPem } = await mesh.issue(mesh.serviceId('web'), { dnsNames: ['server.dc1.consul'] });
    const fake = new RpcTls(HOSTNAME_ANY, { caPems: [ca.pem], certPem, keyPem: new Secret(keyPem) });
    const listener = new RpcListener({ host: '127.0.0.1', port: 0, credentials: fake.serverCredentials }, QUIET);
    cleanups.push(() => listener.stop(0));
    const address = `127.0.0.1:${await listener.start()}`;
    const other = new RpcTls(HOSTNAME_ANY, server);
    other.trustMesh(trustOf(mesh));
    expect(await ask(address, other.channelCredentials)).toMatch(/^unavailable/);
  });
});
