import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, freePorts } from '../support/process.ts';
import { TestCluster } from './support/cluster.ts';
import { type RaftPeer, listPeers, readKey, writeKey } from './support/operator.ts';
import { ClusterServer } from './support/server.ts';

/** What operators do with three real servers, by the command line and HTTP (consul-facts, operator raft and autopilot). */
const STEP_MS = 60_000;

describe('three servers', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.create({ spare: 2, args: ['-hcl=autopilot { server_stabilization_time = "1s" }'] });
    await cluster.start();
  }, STEP_MS);
  afterAll(async () => cluster.stop());

  it('bootstrap once and elect: all name three voters, one of them the leader', { timeout: STEP_MS }, async () => {
    for (const server of cluster.servers) {
      const peers = await listPeers(server);
      expect(peers.map(({ node }) => node).toSorted()).toEqual(['s1', 's2', 's3']);
      expect(peers.every(({ voter }) => voter)).toBe(true);
      expect(peers.filter(({ state }) => state === 'leader')).toHaveLength(1);
    }
    const addresses = cluster.servers.map(({ rpcAddress }) => rpcAddress).toSorted();
    for (const server of cluster.servers) {
      expect((await server.json<string[]>('/v1/status/peers')).toSorted()).toEqual(addresses);
    }
    const names = await cluster.servers[0]?.json<{ Node: string }[]>('/v1/catalog/nodes');
    expect(names?.map(({ Node }) => Node).toSorted()).toEqual(['s1', 's2', 's3']);
  });

  it('take writes through each, and show them through each', { timeout: STEP_MS }, async () => {
    for (const [position, server] of cluster.servers.entries()) {
      await writeKey(server, `through/${server.name}`, `value ${position}`);
      for (const reader of cluster.servers) expect(await readKey(reader, `through/${server.name}`)).toBe(`value ${position}`);
    }
  });

  it('say truthfully how a read was done', { timeout: STEP_MS }, async () => {
    const [follower] = await cluster.followers();
    const leader = await cluster.agreed();
    for (const server of [leader, follower]) {
      if (server === undefined) throw new Error('there is a follower');
      const reads = ['', '?consistent', '?stale'].map((mode) => server.fetch(`/v1/catalog/nodes${mode}`));
      const [usual, consistent, stale] = await Promise.all(reads);
      expect(headersOf(usual)).toEqual({ known: 'true', contactMs: 0, mode: 'leader' });
      expect(headersOf(consistent)).toEqual({ known: 'true', contactMs: 0, mode: 'consistent' });
      const { contactMs, ...rest } = headersOf(stale);
      expect(rest).toEqual({ known: 'true', mode: 'stale' });
      expect(contactMs).toBeLessThan(server === leader ? 1 : 5000);
    }
  });

  it('hand leadership over when asked', { timeout: STEP_MS }, async () => {
    const leader = await cluster.agreed();
    const [heir] = await cluster.followers();
    const heirId = (await listPeers(leader)).find(({ node }) => node === heir?.name)?.id ?? '';
    const asked = await leader.lictor('operator', 'raft', 'transfer-leader', `-id=${heirId}`);
    expect(asked).toMatchObject({ code: 0, stdout: expect.stringContaining('Success') as unknown });
    await eventually(`${heir?.name} leads`, async () => (await cluster.agreed()) === heir);
  });

  it('save a snapshot through a follower, and restore it for all', { timeout: STEP_MS }, async () => {
    const [follower, other] = await cluster.followers();
    if (follower === undefined || other === undefined) throw new Error('there are two');
    await writeKey(follower, 'snapshot/kept', 'then');
    const file = join(cluster.folder, 'backup.snap');
    expect(await follower.lictor('snapshot', 'save', file)).toMatchObject({ code: 0 });
    expect(await follower.lictor('snapshot', 'inspect', file)).toMatchObject({ code: 0 });
    await writeKey(follower, 'snapshot/kept', 'now');
    await writeKey(follower, 'snapshot/late', 'now');
    expect(await other.lictor('snapshot', 'restore', file)).toMatchObject({ code: 0 });
    for (const server of cluster.servers) {
      await eventually(`${server.name} shows what was restored`, async () => (await readKey(server, 'snapshot/kept', 'stale')) === 'then');
      expect(await readKey(server, 'snapshot/late', 'stale')).toBeUndefined();
    }
    await writeKey(other, 'snapshot/after', 'goes on');
  });

  it('take a fourth as non-voter, and promote it when it was stable', { timeout: STEP_MS }, async () => {
    const fourth = cluster.spares[0] as ClusterServer;
    await fourth.start();
    const leader = await cluster.agreed();
    const seen: RaftPeer[] = [];
    await eventually('the fourth votes', async () => {
      const peer = (await listPeers(leader)).find(({ node }) => node === fourth.name);
      if (peer !== undefined) seen.push(peer);
      return peer?.voter;
    });
    expect(seen[0]?.voter).toBe(false);
    expect(await readKey(fourth, 'through/s1')).toBe('value 0');
    const health = await leader.json<{ Healthy: boolean; Servers: { Name: string }[] }>('/v1/operator/autopilot/health');
    expect(health.Servers.map(({ Name }) => Name).toSorted()).toEqual(['s1', 's2', 's3', 's4']);
  });

  it('let one leave: it gives leadership away and is no peer any more', { timeout: STEP_MS }, async () => {
    const leader = await cluster.agreed();
    const left = await leader.lictor('leave');
    expect(left).toMatchObject({ code: 0 });
    expect(await leader.exited()).toBe(0);
    const next = await cluster.agreed([...cluster.servers, ...cluster.spares].filter(({ running }) => running));
    await eventually('it is gone from the peers', async () => !(await listPeers(next)).some(({ node }) => node === leader.name));
    await writeKey(next, 'left', 'three remain');
  });

  it('clean up one that died when a new one came', { timeout: 2 * STEP_MS }, async () => {
    const running = [...cluster.servers, ...cluster.spares].filter((server) => server.running);
    const leader = await cluster.agreed(running);
    const dead = running.find((server) => server !== leader && server !== cluster.spares[0]);
    await dead?.kill();
    await writeKey(leader, 'died', 'two of three go on');
    await cluster.spares[1]?.start();
    await eventually(
      'only the living are peers, and vote',
      async () => {
        const peers = await listPeers(leader);
        return peers.length === 3 && peers.every(({ voter, node }) => voter && node !== dead?.name);
      },
      STEP_MS,
    );
  });

  it('keep everything when all are started again', { timeout: STEP_MS }, async () => {
    const running = [...cluster.servers, ...cluster.spares].filter((server) => server.running);
    await Promise.all(running.map((server) => server.kill()));
    await Promise.all(running.map((server) => server.start()));
    await cluster.agreed(running);
    for (const server of running) expect(await readKey(server, 'died')).toBe('two of three go on');
  });
});

describe('a server that lost the others for good', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.create();
    await cluster.start();
  }, STEP_MS);
  afterAll(async () => cluster.stop());

  it('goes on alone once peers.json says so, with all that was acknowledged', { timeout: STEP_MS }, async () => {
    const [survivor, ...lost] = cluster.servers as [ClusterServer, ...ClusterServer[]];
    await writeKey(survivor, 'kept', 'yes');
    await eventually('the survivor has it', async () => (await readKey(survivor, 'kept', 'stale')) === 'yes');
    await Promise.all(lost.map((server) => server.kill()));
    const refused = await survivor.fetch('/v1/kv/lost', { method: 'PUT', body: 'x', signal: AbortSignal.timeout(20_000) });
    expect(refused.status).toBe(500);
    await survivor.kill();
    const recovered = await survivor.lictor('operator', 'recover', '-yes', survivor.dataDir);
    expect(recovered).toMatchObject({ code: 0, stdout: expect.stringContaining('peers.json') as unknown });
    await survivor.start();
    await cluster.agreed([survivor]);
    expect(await readKey(survivor, 'kept')).toBe('yes');
    await writeKey(survivor, 'after', 'goes on');
    expect((await listPeers(survivor)).map(({ node }) => node)).toEqual([survivor.name]);
  });

  it('takes the others again when they come with empty data directories', { timeout: STEP_MS }, async () => {
    const [survivor, ...lost] = cluster.servers as [ClusterServer, ...ClusterServer[]];
    for (const server of lost) {
      server.forget();
      await server.start();
    }
    await eventually('three peers', async () => (await listPeers(survivor)).length === 3);
    for (const server of lost)
      await eventually(`${server.name} has it all`, async () => (await readKey(server, 'kept', 'stale')) === 'yes');
  });
});

describe('a server of another cluster', () => {
  let cluster: TestCluster;
  let stranger: ClusterServer;
  beforeAll(async () => {
    cluster = await TestCluster.create();
    await cluster.start();
    const [http = 0, dns = 0, grpc = 0, server = 0, serfLan = 0, serfWan = 0] = await freePorts(6);
    const ports = { http, dns, grpc, server, 'serf-lan': serfLan, 'serf-wan': serfWan };
    stranger = new ClusterServer(8, { host: '127.0.0.1', ports, prefix: [] }, join(cluster.folder, 'stranger'), [
      '-server',
      '-bootstrap-expect=1',
    ]);
  }, STEP_MS);
  afterAll(async () => {
    await stranger.kill();
    await cluster.stop();
  });

  it('is not taken, says why, and disturbs nobody', { timeout: STEP_MS }, async () => {
    await stranger.start();
    await eventually('the stranger leads itself', async () => (await stranger.json<string>('/v1/status/leader')) === stranger.rpcAddress);
    await writeKey(stranger, 'mine', 'of the other cluster');
    await stranger.end('SIGTERM');
    const leader = await cluster.agreed();
    await stranger.start(...cluster.servers.map(({ joinAddress }) => `-retry-join=${joinAddress}`));
    await eventually('somebody says why', async () =>
      /(another|different|other) cluster/i.test(`${cluster.output}${stranger.output}`),
    ).catch((error: Error) => {
      throw new Error(`${error.message}\n${cluster.output}\n${stranger.output}`);
    });
    expect((await listPeers(leader)).map(({ node }) => node).toSorted()).toEqual(['s1', 's2', 's3']);
    expect(await readKey(leader, 'mine')).toBeUndefined();
    expect(await cluster.agreed()).toBe(leader);
  });
});

function headersOf(response: Response | undefined): { known: string | null; contactMs: number; mode: string | null } {
  const header = (name: string): string | null => response?.headers.get(name) ?? null;
  return {
    known: header('X-Consul-KnownLeader'),
    contactMs: Number(header('X-Consul-LastContact')),
    mode: header('X-Consul-Effective-Consistency'),
  };
}
