import { mkdtempSync, rmSync } from 'node:fs';
import { Resolver } from 'node:dns/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLoopback } from '../cluster/support/loopback.ts';
import { ClusterServer } from '../cluster/support/server.ts';
import { eventually } from '../support/process.ts';
import { newKey } from './support.ts';

const STEP_MS = 60_000;
const DATACENTERS = ['dc1', 'dc2', 'dc3'];
const GOSSIP = [
  '-hcl=performance { raft_multiplier = 1 }',
  '-hcl=gossip_wan { probe_interval = "1s" probe_timeout = "500ms" gossip_interval = "200ms" }',
];

interface Executed {
  readonly Service: string;
  readonly Nodes: readonly {
    readonly Node: { readonly Node: string; readonly Datacenter: string };
    readonly Service: { readonly ID: string };
  }[];
  readonly Datacenter: string;
  readonly Failovers: number;
}

/** One server a datacenter and, in the first, a client agent, through which everything is asked. */
describe('prepared queries across datacenters (consul-facts H120-H126, N008)', () => {
  const key = newKey();
  const folder = mkdtempSync(join(tmpdir(), 'lictor-queries-'));
  let servers: ClusterServer[];
  let client: ClusterServer;

  beforeAll(async () => {
    const network = await createLoopback(4);
    const agent = (at: number, args: readonly string[]): ClusterServer =>
      new ClusterServer(at, network.placeOf(at), join(folder, `s${at + 1}`), [`-encrypt=${key}`, ...GOSSIP, ...args]);
    servers = DATACENTERS.map((datacenter, at) => agent(at, ['-server', '-bootstrap', `-datacenter=${datacenter}`]));
    client = agent(3, [`-retry-join=${servers[0]?.joinAddress}`]);
    await Promise.all([...servers, client].map((each) => each.start()));
    const [first, ...others] = servers;
    const wide = others.map(({ place: { host, ports } }) => `${host}:${ports['serf-wan']}`);
    await eventually('the servers share a WAN pool', async () => (await first?.lictor('join', '-wan', ...wide))?.code === 0);
    await eventually('the client knows every datacenter', async () => {
      const response = await client.fetch('/v1/catalog/datacenters');
      return response.ok && ((await response.json()) as unknown[]).length === DATACENTERS.length;
    });
    for (const each of servers) await register(each);
  }, STEP_MS);
  afterAll(async () => {
    await Promise.all([...servers, client].map((each) => each.kill()));
    rmSync(folder, { recursive: true, force: true });
  });

  async function put(agent: ClusterServer, path: string, body?: unknown): Promise<void> {
    const response = await agent.fetch(path, { method: 'PUT', ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    expect([path, response.status, response.ok ? '' : await response.text()]).toEqual([path, 200, '']);
  }

  async function register(agent: ClusterServer): Promise<void> {
    const Check = { CheckID: 'alive', TTL: '1h', Status: 'passing' };
    await put(agent, '/v1/agent/service/register', { Name: 'web', Port: 80 + agent.number, Tags: ['v1'], Check });
  }

  async function define(query: object): Promise<void> {
    const { status } = await client.fetch('/v1/query', { method: 'POST', body: JSON.stringify(query) });
    expect(status).toBe(200);
  }

  const execute = (name: string): Promise<Executed> => client.json<Executed>(`/v1/query/${name}/execute`);

  async function eventuallyAnsweredBy(name: string, datacenter: string): Promise<Executed> {
    return eventually(`${name} is answered by ${datacenter}`, async () => {
      const found = await execute(name);
      return found.Nodes.length > 0 && found.Datacenter === datacenter && found;
    });
  }

  function resolver(): Resolver {
    const own = new Resolver();
    own.setServers([`${client.place.host}:${client.place.ports.dns}`]);
    return own;
  }

  it('answer from their own datacenter, then from others in turn, and come back', { timeout: STEP_MS }, async () => {
    const [one, two] = servers as [ClusterServer, ClusterServer, ClusterServer];
    await define({
      Name: 'web',
      Service: { Service: 'web', OnlyPassing: true, Failover: { Datacenters: ['dc2', 'dc3'] } },
      DNS: { TTL: '7s' },
    });
    const own = await eventuallyAnsweredBy('web', 'dc1');
    expect(own).toMatchObject({ Service: 'web', Failovers: 0, Nodes: [{ Node: { Node: 's1', Datacenter: 'dc1' } }] });

    await put(one, '/v1/agent/check/fail/alive');
    expect(await eventuallyAnsweredBy('web', 'dc2')).toMatchObject({ Failovers: 1, Nodes: [{ Node: { Node: 's2', Datacenter: 'dc2' } }] });
    expect(await resolver().resolveSrv('web.query.consul')).toMatchObject([{ name: 's2.node.dc2.consul', port: 81 }]);
    expect(await resolver().resolve4('web.query.consul', { ttl: true })).toEqual([{ address: '127.0.0.1', ttl: 7 }]);

    await put(two, '/v1/agent/check/fail/alive');
    expect(await eventuallyAnsweredBy('web', 'dc3')).toMatchObject({ Failovers: 2 });
    await put(one, '/v1/agent/check/pass/alive');
    expect(await eventuallyAnsweredBy('web', 'dc1')).toMatchObject({ Failovers: 0 });
    await put(two, '/v1/agent/check/pass/alive');
  });

  it('ask the nearest datacenters first', { timeout: STEP_MS }, async () => {
    const [one] = servers as [ClusterServer];
    await define({ Name: 'nearest', Service: { Service: 'web', Failover: { NearestN: 1 } } });
    await put(one, '/v1/agent/check/fail/alive');
    // On one machine all are as near as their noise says: the query agrees with the list.
    await eventually('it is answered by the nearest', async () => {
      const [own, nearest] = await client.json<string[]>('/v1/catalog/datacenters');
      const { Datacenter: answered, Failovers: failovers } = await execute('nearest');
      return own === 'dc1' && answered === nearest && failovers === 1;
    });
    await put(one, '/v1/agent/check/pass/alive');
  });

  it('fill in templates, and execute in another datacenter that is named', { timeout: STEP_MS }, async () => {
    await define({ Name: '', Template: { Type: 'name_prefix_match' }, Service: { Service: '${name.full}', Failover: { NearestN: 2 } } });
    await define({
      Name: 'geo-',
      Template: { Type: 'name_prefix_match', Regexp: '^geo-(.*?)-(.*)$' },
      Service: { Service: '${match(1)}', Tags: ['${match(2)}'] },
    });
    expect((await eventuallyAnsweredBy('geo-web-v1', 'dc1')).Nodes).toHaveLength(1);
    expect((await execute('geo-web-v2')).Nodes).toEqual([]);
    expect(await client.json('/v1/query/geo-web-v2/explain')).toMatchObject({
      Query: { Name: 'geo-', Service: { Service: 'web', Tags: ['v2'] } },
    });
    expect(await resolver().resolve4('consul.query.consul')).toEqual(['127.0.0.1']);
    const elsewhere = await client.fetch('/v1/query/web/execute?dc=dc2');
    expect([elsewhere.status, await elsewhere.text()]).toEqual([404, 'Query not found']);
  });

  it('answer from the agent’s cache when asked to', { timeout: STEP_MS }, async () => {
    const cached = async (control: string): Promise<(string | null)[]> => {
      const response = await client.fetch('/v1/query/web/execute?cached', { headers: { 'cache-control': control } });
      expect(((await response.json()) as Executed).Nodes).toHaveLength(1);
      return [response.headers.get('x-cache'), response.headers.get('x-consul-effective-consistency')];
    };
    expect(await cached('')).toEqual(['MISS', 'leader']);
    expect(await cached('max-age=60')).toEqual(['HIT', 'leader']);
    expect(await cached('must-revalidate')).toEqual(['MISS', 'leader']);
  });

  it('pass over a datacenter that is out of reach, and use it again', { timeout: STEP_MS }, async () => {
    const [one, two] = servers as [ClusterServer, ClusterServer];
    await put(one, '/v1/agent/check/fail/alive');
    await eventuallyAnsweredBy('web', 'dc2');
    await two.kill();
    expect(await eventuallyAnsweredBy('web', 'dc3')).toMatchObject({ Failovers: 2, Nodes: [{ Node: { Node: 's3' } }] });
    await two.start();
    // What was registered there is still in its catalog; a TTL check begins anew.
    await eventually('it answers again', async () => (await two.fetch('/v1/agent/check/pass/alive', { method: 'PUT' })).ok);
    await eventuallyAnsweredBy('web', 'dc2');
  });
});
