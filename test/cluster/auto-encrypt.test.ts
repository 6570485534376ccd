import { readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { join } from 'node:path';
import { buildRoot, generatePrivateKey, parseCertificate } from '../../packages/pki/src/index.ts';
import { LictorError, Secret, silentLogger, silentMetrics } from '../../packages/protocol/src/index.ts';
import { systemClock } from '../../packages/protocol/src/system/index.ts';
import { createAgentCalls } from '../../packages/server/src/agent-rpc/index.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, LICTOR, run } from '../support/process.ts';
import { TestCluster } from './support/cluster.ts';
import type { ClusterServer } from './support/server.ts';

/** Three servers with certificates of `lictor tls` that verify their callers, and clients that have their CA and nothing else (consul-facts P006, P029). */
const STEP_MS = 60_000;
const HOUR_MS = 3_600_000;

interface Leaf {
  readonly CertPEM: string;
  readonly PrivateKeyPEM: string;
}
interface Roots {
  readonly TrustDomain: string;
  readonly ActiveRootID: string;
}

let cluster: TestCluster;
let client: ClusterServer;
let late: ClusterServer;
const file = (name: string): string => join(cluster.folder, name);

beforeAll(async () => {
  cluster = await TestCluster.create({
    clients: 2,
    args: ['-retry-interval=1s', '-hcl=connect { test_ca_leaf_root_change_spread = "1s" }'],
  });
  const [first, second] = cluster.clients;
  if (first === undefined || second === undefined) throw new Error('two clients');
  [client, late] = [first, second];
  for (const what of ['ca create', 'cert create -server', 'cert create -client']) {
    const { code, stderr } = await run(LICTOR, ['tls', ...what.split(' ')], { cwd: cluster.folder });
    if (code !== 0) throw new Error(stderr);
  }
}, STEP_MS);
afterAll(async () => cluster.stop());

function serverFlags(allowTls: boolean): string[] {
  const [ca, cert, key] = ['consul-agent-ca.pem', 'dc1-server-consul-0.pem', 'dc1-server-consul-0-key.pem'].map((name) => file(name));
  return [
    `-hcl=tls { defaults { ca_file = "${ca}" cert_file = "${cert}" key_file = "${key}" verify_incoming = true verify_outgoing = true } }`,
    '-hcl=tls { internal_rpc { verify_server_hostname = true } }',
    `-hcl=auto_encrypt { allow_tls = ${allowTls} }`,
    '-hcl=connect { enabled = true ca_config { leaf_cert_ttl = "1h" } }',
  ];
}

function clientFlags(https = 0): string[] {
  return [
    `-hcl=tls { defaults { ca_file = "${file('consul-agent-ca.pem')}" verify_outgoing = true } internal_rpc { verify_server_hostname = true } }`,
    '-hcl=auto_encrypt { tls = true dns_san = ["agent.example.com"] ip_san = ["192.0.2.7"] }',
    ...(https === 0 ? [] : [`-https-port=${https}`]),
  ];
}

/** What the client shows over HTTPS to somebody who trusts the mesh and the agents' CA. */
function httpsCertificate(port: number, ca: readonly string[]): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const request = get({ host: '127.0.0.1', port, path: '/v1/agent/self', ca: [...ca], agent: false }, (response) => {
      const socket = response.socket as import('node:tls').TLSSocket;
      resolve(socket.getPeerCertificate().raw);
      response.destroy();
    });
    request.on('error', reject);
  });
}

function meshRoots(agent: ClusterServer): Promise<readonly string[]> {
  return agent.json<{ Roots: { RootCert: string }[] }>('/v1/connect/ca/roots').then(({ Roots }) => Roots.map(({ RootCert }) => RootCert));
}

describe('auto_encrypt', { timeout: 2 * STEP_MS }, () => {
  it('servers without allow_tls refuse, and the client says why it waits and can be stopped', async () => {
    await Promise.all(cluster.servers.map((server) => server.start(...serverFlags(false))));
    await cluster.agreed();
    void client.start(...clientFlags()).catch(() => undefined);
    await eventually(
      'the client says why',
      async () => /AutoEncrypt\.AllowTLS must be enabled in order to use this endpoint/.test(client.output),
      STEP_MS,
    );
    await eventually('and that it waits', async () => /has no certificate yet and waits for the servers to sign one/.test(client.output));
    expect(await client.end('SIGTERM')).toBe(1);
    for (const server of cluster.servers) await server.kill();
  });

  it('a client with a CA alone joins, registers and serves', async () => {
    await Promise.all(cluster.servers.map((server) => server.start(...serverFlags(true))));
    await cluster.agreed();
    await client.start(...clientFlags(client.place.ports.grpc));
    const registered = await client.fetch('/v1/agent/service/register', { method: 'PUT', body: JSON.stringify({ Name: 'web', Port: 80 }) });
    expect(registered.status).toBe(200);
    await eventually('web is in the catalog', async () => {
      const found = await client.json<readonly { Node: string }[]>('/v1/catalog/service/web').catch(() => []);
      return found.some(({ Node }) => Node === client.name);
    });
    const { stdout } = await client.lictor('members');
    expect(stdout).toMatch(new RegExp(`^${client.name} .* alive .* client`, 'm'));
  });

  it('its certificate has the names and the life that it is to have (P006)', async () => {
    const shown = parseCertificate(await httpsCertificate(client.place.ports.grpc, await meshRoots(client)));
    const { TrustDomain } = await client.json<Roots>('/v1/connect/ca/roots');
    expect(shown).toMatchObject({
      uris: [`spiffe://${TrustDomain}/agent/client/dc/dc1/id/${client.name}`],
      dnsNames: ['localhost', 'agent.example.com'],
      ips: ['127.0.0.1', '::1', '192.0.2.7'],
      isCa: false,
    });
    expect(shown.notAfterMs - shown.notBeforeMs).toBe(HOUR_MS);
  });

  it('keeps no key on disk', () => {
    const kept = readFileSync(join(client.dataDir, 'node-id'), 'utf8');
    expect(kept).not.toContain('PRIVATE KEY');
    expect(client.output).not.toContain('PRIVATE KEY');
  });

  it("a service's certificate of the same CA opens no server's door (CVE-2021-37219), and the agents' own still does", async () => {
    const leaf = await client.json<Leaf>('/v1/agent/connect/ca/leaf/web');
    writeFileSync(file('web.pem'), leaf.CertPEM);
    writeFileSync(file('web-key.pem'), leaf.PrivateKeyPEM, { mode: 0o600 });
    const options = {
      datacenter: 'dc1',
      domain: 'consul',
      verifyIncoming: true,
      verifyServerHostname: true,
      minVersion: 'TLSv1.2',
      ciphers: '',
    } as const;
    const ask = async (certFile: string, keyFile: string): Promise<string> => {
      const files = { caFile: file('consul-agent-ca.pem'), caPath: '', certFile: file(certFile), keyFile: file(keyFile) };
      const calls = createAgentCalls({ options, files }, { clock: systemClock, logger: silentLogger, metrics: silentMetrics });
      const { rpcAddress = '' } = cluster.servers[0] ?? {};
      try {
        await calls.call(rpcAddress, 'Status.Leader', {}, { token: new Secret('') });
        return 'served';
      } catch (error) {
        return LictorError.from(error).message;
      } finally {
        calls.close();
      }
    };
    expect(await ask('web.pem', 'web-key.pem')).toMatch(/certificate is of the mesh, and not of a client agent of dc1/);
    expect(await ask('dc1-client-consul-0.pem', 'dc1-client-consul-0-key.pem')).toBe('served');
  });

  it('follows a new root: certificate, HTTPS and the way to the servers', async () => {
    const { TrustDomain, ActiveRootID } = await client.json<Roots>('/v1/connect/ca/roots');
    const before = await httpsCertificate(client.place.ports.grpc, await meshRoots(client));
    const key = await generatePrivateKey();
    const nowMs = systemClock.now() - 60_000;
    const RootCert = buildRoot({
      key,
      serial: 99,
      commonName: 'next root',
      clusterId: TrustDomain.replace(/\.consul$/, ''),
      notBeforeMs: nowMs,
      notAfterMs: nowMs + 10 * 365 * 24 * HOUR_MS,
    });
    const config = { Provider: 'consul', Config: { PrivateKey: key.pem.reveal(), RootCert, LeafCertTTL: '1h' } };
    const response = await client.fetch('/v1/connect/ca/configuration', { method: 'PUT', body: JSON.stringify(config) });
    expect([response.status, await response.text()]).toEqual([200, expect.anything()]);
    await eventually(
      'the client has another certificate',
      async () => {
        const roots = await meshRoots(client);
        return !(await httpsCertificate(client.place.ports.grpc, roots)).equals(before);
      },
      STEP_MS,
    );
    expect((await client.json<Roots>('/v1/connect/ca/roots')).ActiveRootID).not.toBe(ActiveRootID);
    // New connections of the client, with the new certificate: its server goes.
    for (const server of cluster.servers) {
      await server.kill();
      await server.start(...serverFlags(true));
      await cluster.agreed();
      await eventually(`the client is served without ${server.name}`, async () => (await client.fetch('/v1/kv/x?keys')).status === 404);
    }
  });

  it('a client that comes before the servers waits for them', async () => {
    for (const server of cluster.servers) await server.kill();
    const started = late.start(...clientFlags());
    await eventually('it waits', async () => /No servers successfully responded to the auto-encrypt request/.test(late.output));
    await Promise.all(cluster.servers.map((server) => server.start(...serverFlags(true))));
    await started;
    await eventually('it is served', async () => (await late.fetch('/v1/kv/x?keys')).status === 404);
  });
});
