import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/process.ts';
import { TestCluster } from './support/cluster.ts';
import { readKey, writeKey } from './support/operator.ts';
import type { ClusterServer } from './support/server.ts';

/** Client agents beside three real servers: what they show, and what becomes of it when servers or clients go. */
const STEP_MS = 60_000;
const RETRY = ['-retry-interval=1s'];

interface CheckedInstance {
  readonly Node: { readonly Node: string };
  readonly Service: { readonly ID: string };
  readonly Checks: readonly { readonly CheckID: string; readonly Status: string }[];
}

let cluster: TestCluster;
let one: ClusterServer;
let other: ClusterServer;

beforeAll(async () => {
  cluster = await TestCluster.create({ clients: 2, args: RETRY });
  const [first, second] = cluster.clients;
  if (first === undefined || second === undefined) throw new Error('two clients');
  [one, other] = [first, second];
  // Before there is any server.
  await one.start();
  await cluster.start();
  await other.start();
  await Promise.all([one, other].map((client) => registered(client)));
}, STEP_MS);
afterAll(async () => cluster.stop());

function registered(client: ClusterServer): Promise<unknown> {
  return eventually(`${client.name} is in the catalog`, async () => {
    const checks = await client.json<{ CheckID: string; Status: string }[]>(`/v1/health/node/${client.name}`).catch(() => []);
    return checks.some(({ CheckID, Status }) => CheckID === 'serfHealth' && Status === 'passing');
  });
}

async function put(agent: ClusterServer, path: string, body: unknown): Promise<void> {
  const response = await agent.fetch(path, { method: 'PUT', body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${agent.name} PUT ${path}: ${response.status} ${await response.text()}`);
}

function instances(agent: ClusterServer, service: string, query = ''): Promise<readonly CheckedInstance[]> {
  return agent.json(`/v1/health/service/${service}${query}`);
}

describe('client agents', { timeout: STEP_MS }, () => {
  it('are members beside the servers, whoever is asked', async () => {
    for (const agent of [one, other, ...cluster.servers]) {
      const { stdout } = await agent.lictor('members');
      const rows = stdout
        .split('\n')
        .slice(1)
        .filter((row) => row !== '');
      const types = new Map(rows.map((row) => row.split(/\s{2,}/)).map(([name = '', , status, type]) => [name, `${status} ${type}`]));
      expect(Object.fromEntries(types)).toEqual({
        s1: 'alive server',
        s2: 'alive server',
        s3: 'alive server',
        s4: 'alive client',
        s5: 'alive client',
      });
    }
  });

  it('have the whole API: what one writes, another reads', async () => {
    await writeKey(one, 'from/a/client', 'value');
    expect(await readKey(other, 'from/a/client')).toBe('value');
    const leader = await cluster.agreed();
    expect(await one.json<string>('/v1/status/leader')).toBe(leader.rpcAddress);
    expect(await one.json<string[]>('/v1/status/peers')).toHaveLength(3);
  });

  it('bring their services into the catalog, and tell blocked readers elsewhere of changes', async () => {
    await put(one, '/v1/agent/service/register', { Name: 'web', Port: 80, Check: { TTL: '60s', Status: 'passing' } });
    const [instance] = await eventually('web is known', async () => {
      const found = await instances(other, 'web');
      return found.length > 0 && found;
    });
    expect(instance).toMatchObject({ Node: { Node: 's4' }, Service: { ID: 'web' } });
    const index = (await other.fetch('/v1/health/service/web')).headers.get('x-consul-index') ?? '';
    const waiting = instances(other, 'web', `?index=${index}&wait=30s`);
    await put(one, '/v1/agent/check/fail/service:web', {});
    const [changed] = await waiting;
    expect(changed?.Checks.map(({ CheckID, Status }) => `${CheckID} ${Status}`)).toContain('service:web critical');
    await put(one, '/v1/agent/check/pass/service:web', {});
  });

  it('go on when their server dies, and when the leader does', async () => {
    const leader = await cluster.agreed();
    await leader.kill();
    await writeKey(one, 'without/a/leader', 'value');
    expect(await readKey(other, 'without/a/leader')).toBe('value');
    await leader.start();
    await cluster.agreed();
  });

  it('are critical in the catalog when they die, and back when they come back', async () => {
    await other.kill();
    await eventually('s5 is critical', async () => {
      const checks = await one.json<{ Status: string }[]>('/v1/health/node/s5');
      return checks.some(({ Status }) => Status === 'critical');
    });
    await other.start();
    await registered(other);
  });

  it('answer from their cache while all servers are away, say how old that is, and go on when those are back', async () => {
    await instances(one, 'web', '?cached');
    const roots = await one.json<{ ActiveRootID: string }>('/v1/agent/connect/ca/roots');
    const leaf = await one.json<{ SerialNumber: string }>('/v1/agent/connect/ca/leaf/web');
    expect(await authorize(one)).toMatchObject({ Authorized: true });
    await Promise.all(cluster.servers.map((server) => server.kill()));
    const response = await eventually('the answer grows old', async () => {
      const answer = await one.fetch('/v1/health/service/web?cached');
      return answer.ok && Number(answer.headers.get('age')) > 0 && answer;
    });
    expect(response.headers.get('x-cache')).toBe('HIT');
    expect(await response.json()).toMatchObject([{ Service: { ID: 'web' } }]);
    expect(await one.json('/v1/agent/connect/ca/roots')).toMatchObject({ ActiveRootID: roots.ActiveRootID });
    expect(await one.json('/v1/agent/connect/ca/leaf/web')).toMatchObject({ SerialNumber: leaf.SerialNumber });
    expect(await authorize(one)).toMatchObject({ Authorized: true });
    expect((await one.fetch('/v1/health/service/web')).status).toBe(500);
    await Promise.all(cluster.servers.map((server) => server.start()));
    await cluster.agreed();
    await writeKey(one, 'after/all', 'value');
    const fresh = await eventually('the answer is fresh', async () => {
      const answer = await one.fetch('/v1/health/service/web?cached');
      return answer.ok && Number(answer.headers.get('age')) === 0;
    });
    expect(fresh).toBe(true);
  });

  it('leave the catalog when they leave', async () => {
    expect(await other.lictor('leave')).toMatchObject({ code: 0 });
    expect(await other.exited()).toBe(0);
    await eventually('s5 is gone', async () => {
      const nodes = await one.json<{ Node: string }[]>('/v1/catalog/nodes');
      return nodes.every(({ Node }) => Node !== 's5');
    });
    const { stdout } = await one.lictor('members');
    expect(stdout).toMatch(/^s5\s.*\bleft\b/m);
  });
});

async function authorize(agent: ClusterServer): Promise<unknown> {
  const body = JSON.stringify({ Target: 'web', ClientCertURI: await uriOf(agent), ClientCertSerial: '1' });
  return agent.json('/v1/agent/connect/authorize', { method: 'POST', body });
}

async function uriOf(agent: ClusterServer): Promise<string> {
  const { TrustDomain } = await agent.json<{ TrustDomain: string }>('/v1/agent/connect/ca/roots');
  return `spiffe://${TrustDomain}/ns/default/dc/dc1/svc/web`;
}
