import { FakeClock } from '@lictor/protocol/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { type ClusterOptions, type LocalCluster, ManualClock, startCluster, type TestAgent } from './index.ts';

const HOUR_MS = 3_600_000;

const clusters: LocalCluster[] = [];
afterEach(async () => {
  await Promise.all(clusters.splice(0).map((cluster) => cluster.stop()));
});

async function start(options: ClusterOptions): Promise<LocalCluster> {
  const cluster = await startCluster({ clock: 'manual', ...options });
  clusters.push(cluster);
  return cluster;
}

describe('a clock that goes by itself and can be moved', () => {
  it('fires what falls due in order, wherever the time came from, and what was cancelled never', async () => {
    const base = new FakeClock();
    const clock = new ManualClock(base);
    const fired: string[] = [];
    clock.setTimer(100, () => fired.push('100'));
    clock.setTimer(50, () => fired.push('50'));
    clock.setTimer(10_000, () => fired.push('10000'));
    clock.setTimer(60, () => fired.push('never')).cancel();
    await base.advance(40);
    expect([fired, clock.monotonic()]).toEqual([[], 40]);
    await clock.advance(60);
    expect([fired, clock.monotonic()]).toEqual([['50', '100'], 100]);
    await base.advance(9_899);
    expect(fired).toHaveLength(2);
    await base.advance(1);
    expect(fired.at(-1)).toBe('10000');
    expect([clock.pendingTimers, base.pendingTimers]).toEqual([0, 0]);
  });

  it('moves the time of day alone', async () => {
    const clock = new ManualClock(new FakeClock(1_000));
    let fired = 0;
    clock.setTimer(5, () => fired++);
    clock.jumpWallClock(3_600_000);
    expect([clock.now(), clock.monotonic(), fired]).toEqual([3_601_000, 0, 0]);
  });

  it('does not move while a server writes to its log, and hides no failure', async () => {
    const clock = new ManualClock(new FakeClock());
    const written = Promise.withResolvers<void>();
    const { log } = clock.wrapStorage(storageOf(() => written.promise));
    const write = log.write({ hardState: undefined, entries: [] });
    const advanced = clock.advance(100);
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(clock.monotonic()).toBe(25);
    written.resolve();
    await Promise.all([write, advanced]);
    expect(clock.monotonic()).toBe(100);
    const failing = clock.wrapStorage(storageOf(() => Promise.reject(new Error('full'))));
    await expect(failing.log.write({ hardState: undefined, entries: [] })).rejects.toThrow('full');
  });

  it('gives what was set by a callback its turn in the next step', async () => {
    const clock = new ManualClock(new FakeClock());
    let rounds = 0;
    const again = (): void => {
      rounds++;
      clock.setTimer(0, again);
    };
    clock.setTimer(0, again);
    await clock.advance(100);
    expect(rounds).toBe(4);
  });
});

describe('a cluster whose time is moved', { timeout: 60_000 }, () => {
  it('says so when it cannot be moved', async () => {
    const cluster = await startCluster();
    clusters.push(cluster);
    expect(() => cluster.clock).toThrow("start the cluster with { clock: 'manual' }");
    expect(() => cluster.faults).toThrow('start the cluster with { faults: true }');
  });

  it('lets a session of 10 s go after twice that, without an election', async () => {
    const cluster = await start({ servers: 3, clients: 1 });
    const { clock, agent } = cluster;
    // Sessions are of nodes of the catalog.
    await expect.poll(async () => (await agent.client.health.node(agent.name)).value.length).toBe(1);
    const terms = (): Promise<unknown[]> => Promise.all(cluster.servers.map(termOf));
    const before = await terms();
    const session = await agent.client.session.create({ TTL: '10s', Behavior: 'delete' });
    await agent.client.kv.put('lock', 'mine', { acquire: session });
    await clock.advance(15_000);
    expect((await agent.client.session.info(session)).value?.ID).toBe(session);
    await clock.advance(10_000);
    await expect.poll(async () => (await agent.client.session.info(session)).value).toBeUndefined();
    expect((await agent.client.kv.get('lock')).value).toBeUndefined();
    expect(await terms()).toEqual(before);
  });

  it('lets a check whose program is silent expire, and takes its service out after a while', async () => {
    const { clock, agent } = await start({ servers: 1 });
    const check = { CheckID: 'beat', TTL: '30s', DeregisterCriticalServiceAfter: '1m' };
    await agent.client.agent.registerService({ Name: 'web', Port: 80, Check: check });
    const status = async (): Promise<string | undefined> => (await agent.client.agent.checks())['beat']?.Status;
    await agent.client.agent.updateCheck('beat', 'passing');
    await clock.advance(25_000);
    expect(await status()).toBe('passing');
    await clock.advance(6_000);
    expect(await status()).toBe('critical');
    await clock.advance(100_000);
    expect(Object.keys(await agent.client.agent.services())).toEqual([]);
  });

  it('renews a certificate before its end, days from now', async () => {
    const { clock, agent } = await start({ servers: 1 });
    await agent.client.agent.registerService({ Name: 'web', Port: 80 });
    const serial = async (): Promise<string> => (await agent.client.agent.connectLeaf('web')).value.SerialNumber;
    const first = await serial();
    clock.jumpWallClock(40 * HOUR_MS);
    await clock.advance(60_000);
    expect(await serial()).toBe(first);
    clock.jumpWallClock(27 * HOUR_MS);
    await clock.advance(60_000);
    await expect.poll(serial).not.toBe(first);
  });
});

async function termOf({ client }: TestAgent): Promise<string> {
  const { Stats } = (await client.agent.self()) as { readonly Stats?: { readonly raft?: { readonly term?: string } } };
  if (Stats?.raft?.term === undefined) throw new Error('a server says its term');
  return Stats.raft.term;
}

type Storage = Parameters<ManualClock['wrapStorage']>[0];

/** That can only write. */
function storageOf(write: () => Promise<void>): Storage {
  const nothing = (): Promise<never> => Promise.reject(new Error('not asked for'));
  return {
    log: { write, load: nothing, trim: nothing, clear: nothing, close: nothing },
    snapshots: { latest: nothing, save: nothing, receive: nothing, install: nothing },
    files: null,
  };
}
