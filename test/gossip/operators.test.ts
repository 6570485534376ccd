import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { columnize } from '../../packages/cli/src/text/columns.ts';
import { TestCluster } from '../cluster/support/cluster.ts';
import { createLoopback } from '../cluster/support/loopback.ts';
import { ClusterServer } from '../cluster/support/server.ts';
import { KEY_WRITES, SteadyLoad } from '../cluster/support/steady-load.ts';
import { eventually, type Finished } from '../support/process.ts';
import { newKey } from './support.ts';

/** What operators see and do with gossip: three servers, two clients and one that finds its way by itself, as real processes. */
const STEP_MS = 60_000;
/** A coordinate is sent within 30 s. */
const COORDINATES_MS = 45_000;
const DONE: Finished = { code: 0, stdout: '', stderr: '' };

describe('gossip as operators see it', () => {
  const firstKey = newKey();
  const nextKey = newKey();
  let cluster: TestCluster;
  let loner: ClusterServer;
  const all = (): ClusterServer[] => [...cluster.servers, ...cluster.clients, ...(loner.running ? [loner] : [])];
  const client = (at: number): ClusterServer => cluster.clients[at] as ClusterServer;
  const server = (at: number): ClusterServer => cluster.servers[at] as ClusterServer;

  beforeAll(async () => {
    const network = await createLoopback(6);
    cluster = await TestCluster.create({ clients: 2, network, args: [`-encrypt=${firstKey}`] });
    loner = new ClusterServer(5, network.placeOf(5), join(cluster.folder, 's6'), [`-encrypt=${firstKey}`]);
    await cluster.start();
    await Promise.all(cluster.clients.map((each) => each.start()));
    await eventually('the clients know everybody', async () => {
      const lists = await Promise.all(all().map((each) => statuses(each)));
      return lists.every((list) => Object.values(list).filter((status) => status === 'alive').length === 5);
    });
    await Promise.all(cluster.clients.map((each) => eventually(`${each.name} is in the catalog`, () => isInCatalog(each))));
  }, STEP_MS);
  afterAll(async () => {
    await loner.kill();
    await cluster.stop();
  });

  async function statuses(agent: ClusterServer, wan = false): Promise<Record<string, string>> {
    const { stdout } = await agent.lictor('members', ...(wan ? ['-wan'] : []));
    const rows = stdout
      .split('\n')
      .slice(1)
      .flatMap((line) => (line === '' ? [] : [line.split(/\s+/)]));
    return Object.fromEntries(rows.map(([name = '', , status = '']) => [name, status]));
  }

  async function isInCatalog({ name }: ClusterServer): Promise<boolean> {
    return (await server(0).json<{ Node: string }[]>('/v1/catalog/nodes')).some(({ Node }) => Node === name);
  }

  describe('members (observed: cli of 1.21)', () => {
    it('shows servers first, the same on every agent', { timeout: STEP_MS }, async () => {
      const row = (agent: ClusterServer, type: string, segment: string): string[] => [
        agent.name,
        agent.joinAddress,
        'alive',
        type,
        '1.21.0',
        '2',
        'dc1',
        'default',
        segment,
      ];
      const header = ['Node', 'Address', 'Status', 'Type', 'Build', 'Protocol', 'DC', 'Partition', 'Segment'];
      const rows = [
        ...cluster.servers.map((each) => row(each, 'server', '<all>')),
        ...cluster.clients.map((each) => row(each, 'client', '<default>')),
      ];
      const stdout = `${columnize([header, ...rows])}\n`;
      for (const agent of all()) expect(await agent.lictor('members')).toEqual({ ...DONE, stdout });
      expect((await client(0).lictor('members', '-status=^aliv')).stdout).toBe(stdout);
      expect((await client(0).lictor('members', '-filter=Tags.role == node')).stdout.split('\n')).toHaveLength(4);
    });

    it('-detailed shows the tags', { timeout: STEP_MS }, async () => {
      const { stdout } = await client(0).lictor('members', '-detailed');
      const tags = Object.fromEntries(stdout.split('\n').map((line) => [line.split(/\s+/)[0], line.split(/\s+/)[3] ?? '']));
      const id = '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}';
      const { server: port, grpc, 'serf-wan': wan } = server(0).place.ports;
      expect(tags['s1']).toMatch(
        new RegExp(
          `^acls=0,ap=default,build=1\\.21\\.0:,dc=dc1,expect=3,ft_fs=1,ft_si=1,grpc_port=${grpc},(grpc_tls_port=\\d+,)?id=${id},port=${port},raft_vsn=3,role=consul,segment=<all>,vsn=2,vsn_max=3,vsn_min=2,wan_join_port=${wan}$`,
        ),
      );
      expect(tags['s4']).toMatch(
        new RegExp(`^ap=default,build=1\\.21\\.0:,dc=dc1,id=${id},role=node,segment=<default>,vsn=2,vsn_max=3,vsn_min=2$`),
      );
    });

    it('-wan shows the servers of all datacenters, and nobody to a client', { timeout: STEP_MS }, async () => {
      await eventually('the servers are in the WAN pool', async () => Object.keys(await statuses(server(0), true)).length === 3);
      expect(await statuses(server(1), true)).toEqual({ 's1.dc1': 'alive', 's2.dc1': 'alive', 's3.dc1': 'alive' });
      expect(await client(0).lictor('members', '-wan')).toEqual({ ...DONE, code: 2 });
      expect(await client(0).lictor('members', '-status=failed')).toEqual({ ...DONE, code: 2 });
      const refused = await client(0).lictor('members', '-segment=alpha');
      expect([refused.code, refused.stderr]).toEqual([
        1,
        'Error retrieving members: Unexpected response code: 500 (Network segments are not supported in this version of Consul)\n',
      ]);
    });
  });

  describe('keyring (consul-facts H130-H133, C011, K056)', () => {
    const list = (counts: (members: number) => string): string => `\nWAN:\n${counts(3)}\ndc1 (LAN):\n${counts(5)}`;

    it('rotates the key under load: nobody is lost, and no write', { timeout: STEP_MS }, async () => {
      const writes = new SteadyLoad(client(1), { put: KEY_WRITES });
      const installed = await client(0).lictor('keyring', '-install', nextKey);
      expect(installed).toEqual({ ...DONE, stdout: '==> Installing new gossip encryption key...\n' });
      const both = (members: number): string => [firstKey, nextKey].map((key) => `  ${key} [${members}/${members}]\n`).join('');
      const listed = await server(1).lictor('keyring', '-list');
      expect(listed).toEqual({ ...DONE, stdout: `==> Gathering installed encryption keys...\n${list(both)}` });
      const used = await server(2).lictor('keyring', '-use', nextKey, '-relay-factor=2');
      expect(used).toEqual({ ...DONE, stdout: '==> Changing primary gossip encryption key...\n' });
      const primary = await client(1).lictor('keyring', '-list-primary');
      const only = (members: number): string => `  ${nextKey} [${members}/${members}]\n`;
      expect(primary.stdout).toBe(`==> Gathering installed primary encryption keys...\n${list(only)}`);
      expect(await client(0).lictor('keyring', '-remove', firstKey)).toEqual({
        ...DONE,
        stdout: '==> Removing gossip encryption key...\n',
      });
      const local = await client(0).lictor('keyring', '-list', '-local-only');
      expect(local).toEqual({ ...DONE, stdout: `==> Gathering installed encryption keys...\n\ndc1 (LAN):\n${only(5)}` });
      const { failures, counts } = await writes.stop();
      expect([failures, counts.put > 5]).toEqual([[], true]);
      for (const agent of all()) expect(Object.values(await statuses(agent))).toEqual(['alive', 'alive', 'alive', 'alive', 'alive']);
      expect(cluster.output).not.toMatch(/member failed/);
    });

    it('says which member did not do it, and why', { timeout: STEP_MS }, async () => {
      const refused = await client(0).lictor('keyring', '-remove', nextKey);
      const lines = refused.stderr.split('\n\t* ').map((line) => line.replace(/\)?\n$/, ''));
      expect(lines.slice(1).toSorted()).toEqual(
        [
          'WAN error: 3/3 nodes reported failure',
          'dc1 (LAN) error: 5/5 nodes reported failure',
          ...['s1', 's2', 's3', 's4', 's5', 's1.dc1', 's2.dc1', 's3.dc1'].map((name) => `${name}: removing the primary key is not allowed`),
        ].toSorted(),
      );
      expect((await client(0).lictor('keyring', '-use', newKey())).stderr).toContain('s4: requested key is not in the keyring');
      expect((await client(0).lictor('keyring', '-install', 'c2hvcnQ=')).stderr).toContain('key size must be 16, 24 or 32 bytes');
    });

    it('stays rotated: the file wins over the configuration, with a warning', { timeout: STEP_MS }, async () => {
      const [one, two] = [client(0), server(0)];
      for (const [agent, file] of [
        [one, 'local'],
        [two, 'local'],
        [two, 'remote'],
      ] as const) {
        const path = join(agent.dataDir, 'serf', `${file}.keyring`);
        expect([JSON.parse(readFileSync(path, 'utf8')), statSync(path).mode & 0o777]).toEqual([[nextKey], 0o600]);
      }
      for (const agent of [one, two]) {
        await agent.kill();
        await agent.start();
        expect(agent.output).toContain('keyring exists but does not contain the configured key, using keyring');
      }
      await eventually('they are back', async () => {
        const seen = await statuses(server(1));
        return seen[one.name] === 'alive' && seen[two.name] === 'alive' && Object.keys(await statuses(one)).length === 5;
      });
    });

    it('shows no key in any log', () => {
      for (const { name, output } of all())
        for (const key of [firstKey, nextKey]) expect([name, output.includes(key)]).toEqual([name, false]);
    });
  });

  describe('events (consul-facts H118, H119)', () => {
    const eventsOf = async (agent: ClusterServer): Promise<string[]> =>
      (await agent.json<{ Name: string; Payload: string | null }[]>('/v1/event/list')).map(
        ({ Name, Payload }) => `${Name}: ${Buffer.from(Payload ?? '', 'base64').toString()}`,
      );

    it('reach the nodes and services that they are for', { timeout: STEP_MS }, async () => {
      const definition = { method: 'PUT', body: JSON.stringify({ Name: 'web', Tags: ['v2'] }) };
      expect((await client(1).fetch('/v1/agent/service/register', definition)).status).toBe(200);
      const marker = join(cluster.folder, 'watched');
      // The first that a watch shows is what there is: nothing yet.
      const handler = `cat >> ${marker}; if grep -q deploy ${marker}; then kill -INT $PPID; fi`;
      const watch = client(1).lictor('watch', '-type=event', '-name=deploy', handler);
      const fired = await client(0).lictor('event', '-name=restart', '-node=^s[14]$', 'now');
      expect(fired.stdout).toMatch(/^Event ID: [0-9a-f-]{36}\n$/);
      await server(2).lictor('event', '-name=deploy', '-service=web', '-tag=v2', 'three');
      await server(2).lictor('event', '-name=deploy', '-service=web', '-tag=v1', 'not here');
      await eventually('they have arrived', async () => {
        const seen = await Promise.all(all().map((agent) => eventsOf(agent)));
        return JSON.stringify(seen) === JSON.stringify([['restart: now'], [], [], ['restart: now'], ['deploy: three']]);
      });
      await watch;
      expect(readFileSync(marker, 'utf8')).toContain('"Name":"deploy"');
    });
  });

  describe('an agent without retry_join', () => {
    it('joins when it is told to', { timeout: STEP_MS }, async () => {
      await loner.start(`-encrypt=${nextKey}`);
      expect((await loner.lictor('members')).stdout.split('\n')).toHaveLength(3);
      const joined = await loner.lictor('join', server(1).joinAddress, client(0).joinAddress);
      expect(joined).toEqual({ ...DONE, stdout: 'Successfully joined cluster by contacting 2 nodes.\n' });
      await eventually('everybody knows it', async () => (await statuses(client(1)))['s6'] === 'alive');
      const refused = await loner.lictor('join', '-wan', server(1).joinAddress);
      expect([refused.code, refused.stderr]).toEqual([
        1,
        `Error joining address '${server(1).joinAddress}': Unexpected response code: 500 (Must be a server to join WAN cluster)\nFailed to join any nodes.\n`,
      ]);
    });

    it('goes back by itself after a crash, to those whom it knew', { timeout: STEP_MS }, async () => {
      const snapshot = join(loner.dataDir, 'serf', 'local.snapshot');
      await eventually('it has noted them', async () => existsSync(snapshot) && readFileSync(snapshot, 'utf8').split('\n').length > 5);
      await loner.kill();
      await loner.start();
      await eventually('it is back', async () => Object.values(await statuses(loner)).filter((status) => status === 'alive').length === 6);
    });

    it('does not after a leave, unless rejoin_after_leave says so', { timeout: STEP_MS }, async () => {
      expect(await loner.lictor('leave')).toEqual({ ...DONE, stdout: 'Graceful leave complete\n' });
      expect(await loner.exited()).toBe(0);
      await eventually('everybody knows that', async () => {
        const seen = await Promise.all(all().map(async (agent) => (await statuses(agent))['s6']));
        return seen.every((status) => status === 'left');
      });
      await eventually('it is gone from the catalog', async () => !(await isInCatalog(loner)));
      await loner.start();
      expect(Object.keys(await statuses(loner))).toEqual(['s6']);
      await loner.kill();
      await loner.start('-rejoin');
      await eventually('it is back', async () => Object.values(await statuses(loner)).filter((status) => status === 'alive').length === 6);
    });

    it('that failed is left when an operator says so, and forgotten with -prune', { timeout: STEP_MS }, async () => {
      await loner.kill();
      const seenBy = async (): Promise<(string | undefined)[]> =>
        Promise.all([client(0), server(2)].map(async (agent) => (await statuses(agent))['s6']));
      await eventually('it has failed', async () => (await seenBy()).every((status) => status === 'failed'), 30_000);
      expect(await client(0).lictor('force-leave', 's6')).toEqual(DONE);
      await eventually('it has left', async () => (await seenBy()).every((status) => status === 'left'));
      expect(await server(0).lictor('force-leave', '-prune', 's6')).toEqual(DONE);
      await eventually('nobody knows it', async () => (await seenBy()).every((status) => status === undefined));
      const unknown = await client(0).lictor('force-leave', 's6');
      expect([unknown.code, unknown.stderr]).toEqual([
        1,
        "Error force leaving: Unexpected response code: 500 (agent: No node found with name 's6')\n",
      ]);
    });
  });

  describe('coordinates (consul-facts H084-H087, T024)', () => {
    it('of every agent are with the servers, and tell how far nodes are apart', { timeout: STEP_MS }, async () => {
      // Nobody who has measured is where all begin. An agent that came back a moment ago says so first, and better at the next sending.
      await eventually(
        'all have measured, and said where they are',
        async () => {
          const known = await client(0).json<{ Node: string; Coord: { Vec: number[] } }[]>('/v1/coordinate/nodes');
          const coordinates = new Map(known.map(({ Node, Coord }) => [Node, Coord.Vec]));
          return all().every(({ name }) => coordinates.get(name)?.some((value) => value !== 0));
        },
        COORDINATES_MS,
      );
      expect((await client(0).lictor('rtt', 's1', 's5')).stdout).toMatch(
        /^Estimated s1 <-> s5 rtt: \d+\.\d{3} ms \(using LAN coordinates\)\n$/,
      );
      expect((await client(0).lictor('rtt', 's2')).stdout).toMatch(/^Estimated s2 <-> s4 rtt: /);
      expect((await server(0).lictor('rtt', '-wan', 's2.dc1')).stdout).toMatch(
        /^Estimated s2\.dc1 <-> s1\.dc1 rtt: \d+\.\d{3} ms \(using WAN coordinates\)\n$/,
      );
      const self = await client(1).json<{ Coord: { Vec: number[] } }>('/v1/agent/self');
      expect(self.Coord.Vec.some((value) => value !== 0)).toBe(true);
      const near = await client(0).json<{ Node: string }[]>('/v1/catalog/nodes?near=s5');
      expect(near[0]?.Node).toBe('s5');
    });
  });
});
