import { afterEach, describe, expect, it } from 'vitest';
import { type ClusterOptions, type LocalCluster, startCluster, type TestAgent } from '../index.ts';

/** Who cannot reach a leader says so soon. */
const IMPATIENT = 'performance { rpc_hold_timeout = "500ms" }';

const clusters: LocalCluster[] = [];
afterEach(async () => {
  await Promise.all(clusters.splice(0).map((cluster) => cluster.stop()));
});

async function start(options: ClusterOptions): Promise<LocalCluster> {
  const cluster = await startCluster({ faults: true, ...options });
  clusters.push(cluster);
  return cluster;
}

function poll<T>(look: () => Promise<T>) {
  return expect.poll(look, { timeout: 30_000, interval: 20 });
}

function others(cluster: LocalCluster, one: TestAgent): readonly [TestAgent, TestAgent] {
  const [first, second] = cluster.servers.filter((server) => server !== one);
  if (first === undefined || second === undefined) throw new Error('three servers');
  return [first, second];
}

/** By name; undefined: none. */
async function leaderSeenBy({ client }: TestAgent): Promise<string | undefined> {
  const { Servers } = await client.operator.raftConfiguration({ consistency: 'stale' });
  return Servers.find(({ Leader }) => Leader)?.Node;
}

async function value({ client }: TestAgent, key: string): Promise<string> {
  return Buffer.from((await client.kv.get(key, { consistency: 'stale' })).value?.Value ?? []).toString();
}

async function statusSeenBy({ client }: TestAgent, name: string): Promise<number | undefined> {
  return (await client.agent.members()).find(({ Name }) => Name === name)?.Status;
}

/** Serf's. */
const ALIVE = 1;
const FAILED = 4;

describe('links that break', { timeout: 60_000 }, () => {
  it('replace a leader that is cut off: what it is told is lost, and undone when it is back', async () => {
    const cluster = await start({ servers: 3, clock: 'manual', hcl: IMPATIENT });
    const old = await cluster.leader();
    const [one, other] = others(cluster, old);
    await old.client.kv.put('k', 'before');
    cluster.faults.isolate(old);
    const stale = old.client.kv.put('k', 'stale').then(
      () => 'written',
      () => 'refused',
    );
    await poll(async () => [undefined, old.name].includes(await leaderSeenBy(one))).toBe(false);
    expect(await leaderSeenBy(other)).toBe(await leaderSeenBy(one));
    await one.client.kv.put('k', 'after');
    await expect(old.client.kv.get('k')).rejects.toThrow();
    expect(await stale).toBe('refused');
    expect(await value(old, 'k')).toBe('before');
    cluster.faults.heal();
    await poll(() => value(old, 'k')).toBe('after');
    // Servers that have taken each other for dead look again every half minute.
    await poll(async () => {
      await cluster.clock.advance(5_000);
      return statusSeenBy(old, one.name);
    }).toBe(ALIVE);
  });

  it('leave a client with its cache, whose age grows, until they heal', async () => {
    const cluster = await start({ servers: 1, clients: 1, clock: 'manual', hcl: IMPATIENT });
    const { agent: client, servers, faults, clock } = cluster;
    const [server] = servers;
    if (server === undefined) throw new Error('a server');
    const ask = () => client.client.health.service('web', { cached: true });
    await server.client.agent.registerService({ Name: 'web', Port: 80 });
    await poll(async () => (await ask()).value.length).toBe(1);
    faults.isolate(client);
    await poll(() => statusSeenBy(client, server.name)).toBe(FAILED);
    // Its query in the background is half open, which gRPC's keepalive finds out: 15 s of real time.
    await poll(async () => {
      await clock.advance(2_000);
      return (await ask()).meta.cacheAgeMs;
    }).toBeGreaterThan(60_000);
    const { value: cached, meta } = await ask();
    expect([cached.length, meta.cacheHit]).toEqual([1, true]);
    await expect(client.client.health.service('web')).rejects.toThrow();
    await server.client.agent.deregisterService('web');
    faults.heal();
    await poll(async () => (await ask()).value.length).toBe(0);
    await poll(async () => (await ask()).meta.cacheAgeMs).toBeLessThan(5_000);
  });

  it('are cut in one direction: who is not heard does not lead for long', async () => {
    const cluster = await start({ servers: 3 });
    const mute = await cluster.leader();
    const [one, other] = others(cluster, mute);
    cluster.faults.cutOneWay(mute, one);
    cluster.faults.cutOneWay(mute, other);
    await poll(async () => [undefined, mute.name].includes(await leaderSeenBy(one))).toBe(false);
    cluster.faults.heal();
    await cluster.leader();
  });

  it('refuse: the other is taken for dead, and is back when they do not', async () => {
    const cluster = await start({ servers: 1, clients: 1, hcl: IMPATIENT });
    const [server] = cluster.servers;
    const { agent: client, faults } = cluster;
    if (server === undefined) throw new Error('a server');
    faults.refuse(client, server);
    await poll(() => statusSeenBy(server, client.name)).toBe(FAILED);
    await expect(client.client.kv.get('k', { waitMs: 1 })).rejects.toThrow();
    faults.heal();
    await poll(() => statusSeenBy(server, client.name)).toBe(ALIVE);
    await poll(() => client.client.kv.put('k', 'v').catch(() => false)).toBe(true);
  });

  it('delay: a call takes as much longer each way', async () => {
    const cluster = await start({ servers: 1, clients: 1, hcl: IMPATIENT });
    const [server] = cluster.servers;
    const { agent: client, faults } = cluster;
    if (server === undefined) throw new Error('a server');
    await client.client.kv.put('k', 'v');
    faults.delay(client, server, 40);
    const startedMs = performance.now();
    await client.client.kv.get('k');
    expect(performance.now() - startedMs).toBeGreaterThan(75);
    expect(await statusSeenBy(server, client.name)).toBe(ALIVE);
  });

  it('lose half of the datagrams: nobody is taken for dead, since streams get through', async () => {
    const cluster = await start({ servers: 1, clients: 1, clock: 'manual' });
    const [server] = cluster.servers;
    if (server === undefined) throw new Error('a server');
    cluster.faults.lose(cluster.agent, server, 0.5);
    await cluster.clock.advance(10_000);
    expect(await statusSeenBy(server, cluster.agent.name)).toBe(ALIVE);
    cluster.faults.lose(cluster.agent, server, 1);
    cluster.faults.refuse(cluster.agent, server);
    await poll(() => statusSeenBy(server, cluster.agent.name)).toBe(FAILED);
  });

  it('know only the agents of their cluster', async () => {
    const cluster = await start({ servers: 1, clients: 1, hcl: IMPATIENT });
    expect(() => cluster.faults.cut(cluster.agent, { name: 'nobody' })).toThrow('there is no link from client-1 to nobody');
    expect(() => cluster.faults.failDisk(cluster.agent)).toThrow('client-1 is no server: it keeps no log');
  });
});

describe('disks that fail', { timeout: 60_000 }, () => {
  it.each(['full', 'failing'] as const)('end leadership, and the server takes part again once it is restarted: %s', async (fault) => {
    const cluster = await start({ servers: 3 });
    const old = await cluster.leader();
    const [one] = others(cluster, old);
    await old.client.kv.put('k', 'before');
    cluster.faults.failDisk(old, fault);
    void old.client.kv.put('k', 'lost').catch(() => undefined);
    await poll(async () => [undefined, old.name].includes(await leaderSeenBy(one))).toBe(false);
    await poll(() => one.client.kv.put('k', 'after').catch(() => false)).toBe(true);
    expect(await value(old, 'k')).not.toBe('after');
    cluster.faults.heal();
    await old.kill();
    await old.start();
    await poll(() => value(old, 'k')).toBe('after');
  });
});
