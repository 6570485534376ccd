import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NetworkConfig } from '../config.ts';
import { silentLogger, silentMetrics } from '@lictor/protocol';
import { systemClock } from '@lictor/protocol/system';
import { type AgentCalls, createAgentCalls } from '../agent-rpc/index.ts';
import { PeerRpcClient } from '../peer-rpc/index.ts';
import { put, TestCluster, until } from '../testing/cluster.ts';
import { type AgentCa, createAgentCa, EVERYTHING_VERIFIED } from '../tls/testing/certificates.ts';
import { AgentTls, type RpcTlsMaterial, type RpcTlsOptions } from '../tls/index.ts';

type Tls = NonNullable<NetworkConfig['tls']>;
const NAMES = ['a', 'b', 'c'];
const NOTHING_VERIFIED = { ...EVERYTHING_VERIFIED, verifyIncoming: false, verifyOutgoing: false, verifyServerHostname: false };

let folder: string;
let cluster: TestCluster;
let ca: AgentCa;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lictor-cluster-tls-'));
  cluster = new TestCluster();
  ca = await createAgentCa();
});
afterEach(async () => {
  await cluster.stopAll();
  rmSync(folder, { recursive: true, force: true });
});

/** Writes the files of a server whose certificate has this name. */
async function tlsOf(owner: string, options: RpcTlsOptions, name = 'server.dc1.consul', from = ca): Promise<Tls> {
  return { options, files: write(owner, await from.material(name)) };
}

function write(owner: string, { caPems, certPem, keyPem }: RpcTlsMaterial): Tls['files'] {
  const file = (kind: string, text: string): string => {
    const path = join(folder, `${owner}-${kind}.pem`);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  return { caFile: file('ca', caPems.join('')), caPath: '', certFile: file('cert', certPem), keyFile: file('key', keyPem.reveal()) };
}

describe('servers that verify each other', () => {
  it('elect a leader and forward calls, and take in nobody whose certificate is not a server', async () => {
    for (const name of NAMES) await cluster.add(name, {}, { tls: await tlsOf(name, EVERYTHING_VERIFIED) });
    const follower = await cluster.follower();
    expect((await put(follower, 'over-tls')).value).toBe(true);

    const outsiders = [
      await cluster.add('client', {}, { tls: await tlsOf('client', NOTHING_HOSTNAME, 'client.dc1.consul') }),
      await cluster.add('plain', {}, { tls: null }),
      await cluster.add('stranger', {}, { tls: await tlsOf('stranger', NOTHING_HOSTNAME, 'server.dc1.consul', await createAgentCa()) }),
    ];
    // Long enough for each of them to have been taken in: a fourth server with the right certificate is.
    const fourth = await cluster.add('d', {}, { tls: await tlsOf('d', EVERYTHING_VERIFIED) });
    await until(() => follower.server.consensus.configuration().Servers.some(({ ID }) => ID === fourth.config.nodeId));
    const ids = follower.server.consensus.configuration().Servers.map(({ ID }) => ID);
    for (const { config } of outsiders) expect(ids).not.toContain(config.nodeId);
  }, 60_000);
});

describe('a client agent', () => {
  it('calls servers that verify it with its own certificate, and acts as no server with it', async () => {
    for (const name of NAMES) await cluster.add(name, {}, { tls: await tlsOf(name, EVERYTHING_VERIFIED) });
    const { config } = await cluster.follower();
    const ports = { clock: systemClock, logger: silentLogger, metrics: silentMetrics };
    const own = await tlsOf('client', EVERYTHING_VERIFIED, 'client.dc1.consul');
    const agents = [
      createAgentCalls(own, ports),
      createAgentCalls({ options: EVERYTHING_VERIFIED, files: { ...own.files, certFile: '', keyFile: '' } }, ports),
      createAgentCalls(await tlsOf('stranger', EVERYTHING_VERIFIED, 'client.dc1.consul', await createAgentCa()), ports),
      createAgentCalls(null, ports),
    ] as const;
    const list = (agent: AgentCalls): Promise<unknown> => agent.call(config.rpcAddress, 'Status.Peers', {}, {});
    expect(await list(agents[0])).toMatchObject({ value: expect.arrayContaining([config.rpcAddress]) });
    for (const agent of agents.slice(1)) await expect(list(agent)).rejects.toMatchObject({ code: 'unavailable' });
    const tls = new AgentTls(EVERYTHING_VERIFIED, await ca.material('client.dc1.consul'));
    const impostor = new PeerRpcClient({ credentials: () => tls.channelCredentials }, ports);
    await expect(impostor.call(config.rpcAddress, 'Status.Peers', {}, {})).rejects.toThrow('not valid for server.dc1.consul');
    impostor.close();
    for (const agent of agents) agent.close();
  }, 60_000);
});

describe('a running cluster without TLS', () => {
  it('goes over to it server by server: certificates, verify_outgoing, verify_incoming', async () => {
    const members = [];
    for (const name of NAMES) members.push(await cluster.add(name, { dataDir: join(folder, name) }));
    const configs = new Map(members.map(({ name, config }) => [name, config]));
    const steps: readonly RpcTlsOptions[] = [NOTHING_VERIFIED, { ...NOTHING_VERIFIED, verifyOutgoing: true }, EVERYTHING_VERIFIED];
    await put(await cluster.follower(), 'before');
    for (const [step, options] of steps.entries()) {
      for (const name of NAMES) {
        const config = configs.get(name);
        if (config?.network === null || config === undefined) throw new Error('no network');
        await cluster.leader();
        await cluster.stop(name);
        await cluster.start({ ...config, network: { ...config.network, tls: await tlsOf(name, options) } });
        expect((await put(await cluster.follower(), `${step}-${name}`)).value).toBe(true);
      }
    }
    const { value } = await (await cluster.follower()).server.port.call('KVS.ListKeys', { prefix: '', separator: '' });
    expect(value).toEqual([...steps.keys()].flatMap((step) => NAMES.map((name) => `${step}-${name}`)).concat('before'));
  }, 120_000);
});

const NOTHING_HOSTNAME: RpcTlsOptions = { ...EVERYTHING_VERIFIED, verifyServerHostname: false };
