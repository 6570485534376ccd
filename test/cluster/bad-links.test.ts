import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock, systemRandom } from '../../packages/protocol/src/system/index.ts';
import { type AgentTls, createAgentTlsIssuer } from '../../packages/testing/src/credentials/agent-tls.ts';
import { eventually } from '../support/process.ts';
import { TestCluster } from './support/cluster.ts';
import { readKey, writeKey } from './support/operator.ts';
import { canRelay, createRelay } from './support/relay.ts';
import type { ClusterServer } from './support/server.ts';

/** What goes wrong between agents is said in words, with the peer's name, and passes by itself when its cause is gone. */
const STEP_MS = 120_000;
const RETRY = ['-retry-interval=1s'];
/** How much earlier than its clock the issuer makes certificates valid. */
const ISSUER_SKEW_MS = 3_600_000;

let cluster: TestCluster | undefined;
afterEach(async () => {
  await cluster?.stop();
  cluster = undefined;
});

describe('a client agent', { timeout: STEP_MS }, () => {
  it('that finds no server says whom it has asked, serves what it can, and catches up when they come', async () => {
    const { client, servers } = await create({ servers: 1 });
    await client.start();
    await put(client, '/v1/agent/service/register', { Name: 'early', Port: 7000 });
    const refused = await client.fetch('/v1/kv/k');
    expect([refused.status, await refused.text()]).toEqual([500, 'No known Consul servers']);
    const [server] = servers;
    await eventually(
      'it says whom it has asked',
      async () => client.output.includes(server?.joinAddress ?? '-') && /retry/i.test(client.output),
    );
    await server?.start();
    await eventually('its service is in the catalog', async () => (await client.json<unknown[]>('/v1/catalog/service/early')).length === 1);
  });

  it('whose certificate is not yet valid says so, and joins in when it is', async () => {
    const folder = await create({ servers: 1 });
    const { client, servers } = folder;
    let aheadMs = 0;
    const clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
    const issuer = await createAgentTlsIssuer({ clock, random: systemRandom });
    await servers[0]?.start(...tlsFlags(servers[0], await issuer.server()));
    const validInMs = 12_000;
    aheadMs = ISSUER_SKEW_MS + validInMs;
    await client.start(...tlsFlags(client, await issuer.client(client.name)));
    await eventually('it says why', async () => /certificate of this agent is not yet valid/.test(client.output));
    await eventually('it says which server it cannot call', async () =>
      client.output.split('\n').some((line) => line.includes('a server cannot be called') && line.includes(servers[0]?.rpcAddress ?? '-')),
    );
    await eventually(
      'it writes',
      () =>
        writeKey(client, 'k', 'v').then(
          () => true,
          () => false,
        ),
      STEP_MS,
    );
  });

  it.skipIf(!canRelay())('whose connection to a server has gone silent asks another, and says which it was', async () => {
    const { client, servers, network } = await create({ servers: 3 });
    await cluster?.start();
    await client.start();
    await eventually('it writes', () =>
      writeKey(client, 'k', 'v').then(
        () => true,
        () => false,
      ),
    );
    for (const server of servers) {
      const before = client.output.length;
      network.cut(client.number, server.number);
      network.cut(server.number, client.number);
      // Each in its turn, so that the one that it uses is among them; gossip keeps knowing all three through the others.
      expect(await client.fetch('/v1/kv/k?raw&stale', { signal: AbortSignal.timeout(40_000) }).then((response) => response.text())).toBe(
        'v',
      );
      const lost = client.output.slice(before).match(/lost the connection to a server.*/)?.[0];
      if (lost !== undefined) expect(lost).toContain(server.rpcAddress);
      network.heal();
    }
    expect(client.output).toContain('lost the connection to a server');
    expect(await readKey(client, 'k')).toBe('v');
  });

  it.skipIf(!canRelay())(
    'that nobody reaches at its advertised address is told so by its log, and is taken back when they do',
    async () => {
      const { client, servers, network } = await create({ servers: 1 });
      const [server] = servers;
      if (server === undefined) return expect.unreachable();
      await server.start();
      network.shut?.(client.number);
      await client.start();
      const status = async (): Promise<string | undefined> =>
        new RegExp(`^${client.name} .* (alive|failed) `, 'm').exec((await server.lictor('members')).stdout)?.[1];
      await eventually('it says so', async () => /others do not reach its advertised address/.test(client.output), STEP_MS);
      network.heal();
      await eventually('it is there', async () => (await status()) === 'alive', STEP_MS);
      await eventually(
        'its node is in the catalog',
        async () => (await client.json<unknown[]>(`/v1/health/node/${client.name}`)).length > 0,
        STEP_MS,
      );
    },
  );
});

async function create({ servers }: { readonly servers: number }) {
  const network = canRelay() ? await createRelay(servers + 1) : undefined;
  cluster = await TestCluster.create({ servers, clients: 1, args: RETRY, ...(network && { network }) });
  const [client] = cluster.clients;
  if (client === undefined) throw new Error('one client');
  return { client, servers: cluster.servers, network: cluster.network };
}

function tlsFlags(agent: ClusterServer, tls: AgentTls): string[] {
  const file = (name: string, text: string): string => {
    const path = join(agent.folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return JSON.stringify(path);
  };
  const files = `ca_file = ${file('ca.pem', tls.caPem)} cert_file = ${file('cert.pem', tls.certPem)} key_file = ${file('key.pem', tls.keyPem)}`;
  return [`-hcl=tls { internal_rpc { ${files} verify_incoming = true verify_outgoing = true } }`];
}

async function put(agent: ClusterServer, path: string, body: unknown): Promise<void> {
  const response = await agent.fetch(path, { method: 'PUT', body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${agent.name} PUT ${path}: ${response.status} ${await response.text()}`);
}
