import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LictorClient } from '../../packages/sdk/src/index.ts';
import { LictorCluster, type StartedLictorCluster, type StartedLictorContainer } from '../../packages/testing/src/containers/index.ts';
import { eventually } from '../support/process.ts';
import { prepareImage } from './support/engine.ts';

/** Issue: the cluster, in containers. One cluster for all of it: each test leaves it whole. */
const TIMEOUT_MS = 120_000;
const skipped = prepareImage() !== undefined;

describe.skipIf(skipped)('three servers and a client in containers', { timeout: TIMEOUT_MS }, () => {
  let cluster: StartedLictorCluster;
  let client: StartedLictorContainer;
  let api: LictorClient;

  beforeAll(async () => {
    cluster = await new LictorCluster({ servers: 3, clients: 1, config: { autopilot: { server_stabilization_time: '1s' } } }).start();
    client = cluster.clients[0] ?? expect.unreachable('no client');
    api = client.client();
  }, TIMEOUT_MS);
  afterAll(async () => {
    await api?.close();
    await cluster?.stop();
  }, TIMEOUT_MS);

  it('know each other by encrypted gossip', async () => {
    const members = await client.lictor('members', '-status=alive');
    expect(members.match(/^(?:server|client)-\d .* alive /gm)).toHaveLength(4);
    expect(await client.lictor('info')).toMatch(/encrypted = true/);
  });

  it.each([
    ['killed', (leader: StartedLictorContainer) => leader.kill(), (leader: StartedLictorContainer) => leader.revive()],
    ['paused', (leader: StartedLictorContainer) => leader.pause(), (leader: StartedLictorContainer) => leader.resume()],
  ])('go on writing when the leader is %s, and it follows when it is back', async (what, fail, mend) => {
    const leader = await cluster.leader();
    await write(`${what}/before`);
    await fail(leader);
    try {
      await eventually(`a write after the leader was ${what}`, () => write(`${what}/meanwhile`), TIMEOUT_MS);
      expect(await cluster.leader(leader)).not.toBe(leader);
    } finally {
      await mend(leader);
    }
    // What was written while it was away, from its own copy.
    const query = ['kv', 'get', '-stale', `${what}/meanwhile`];
    await eventually('the old leader has caught up', () => leader.lictor(...query).catch(() => undefined), TIMEOUT_MS);
    await eventually('three voters again', threeVoters, TIMEOUT_MS);
  });

  it('go on without a leader that is cut off, which itself neither reads nor writes', async () => {
    const leader = await cluster.leader();
    await write('cut/before');
    await cluster.cut(leader);
    try {
      await eventually('a write without it', () => write('cut/meanwhile'), TIMEOUT_MS);
      expect(await cluster.leader(leader)).not.toBe(leader);
      const refused = /No cluster leader|timeout|leadership/i;
      const answers = [leader.lictor('kv', 'get', 'cut/before'), leader.lictor('kv', 'put', 'cut/lost', '1')];
      await Promise.all(answers.map((answer) => expect(answer).rejects.toThrow(refused)));
    } finally {
      await cluster.heal(leader);
    }
    await eventually('three voters again', threeVoters, TIMEOUT_MS);
    const keys = await Promise.all(['before', 'meanwhile', 'lost'].map((key) => api.kv.get(`cut/${key}`)));
    expect(keys.map(({ value }) => value !== undefined)).toEqual([true, true, false]);
  });

  it('a client without any server answers from its cache, and authorises', { timeout: 4 * TIMEOUT_MS }, async () => {
    await api.agent.registerService({ Name: 'echo', Port: 9090 });
    await api.connect.createIntention({ SourceName: 'caller', DestinationName: 'echo', Action: 'allow' });
    await eventually('the service is in the catalog', async () => (await api.health.service('echo')).value.length === 1);
    const before = await ask();
    expect(before).toMatchObject({ instances: 1, Authorized: true });
    await Promise.all(cluster.servers.map((server) => server.kill()));
    expect(await write('in-vain')).toBeUndefined();
    const after = await eventually(
      'the age of what the cache has grows',
      async () => {
        const answer = await ask();
        expect(answer).toMatchObject({ instances: 1, serial: before.serial, Authorized: true });
        return answer.ageS > before.ageS && answer;
      },
      TIMEOUT_MS,
    );
    expect(after.cache).toBe('HIT');
    // The engine gives out addresses in the order of starting: they come back with each other's.
    await Promise.all(cluster.servers.toReversed().map((server) => server.revive()));
    await eventually('a write', () => write('again'), TIMEOUT_MS);
    await cluster.leader();
    await eventually('three voters again', threeVoters, TIMEOUT_MS);
    // A name is given to another address 30 s after its owner failed (`deadReclaimMs` of gossip): all three have each other's.
    await eventually('everybody is where gossip says', async () => new Set(await aliveAddresses()).size === 4, TIMEOUT_MS);
    await api.agent.registerService({ Name: 'echo', ID: 'echo-2', Port: 9091 });
    await eventually('the cache follows again', async () => (await ask()).instances === 2, TIMEOUT_MS);
  });

  function write(key: string): Promise<boolean | undefined> {
    return api.kv.put(key, 'value').catch(() => undefined);
  }

  async function threeVoters(): Promise<boolean> {
    const state = await api.operator.autopilotState().catch(() => undefined);
    return state?.Healthy === true && state.Voters?.length === 3;
  }

  async function aliveAddresses(): Promise<string[]> {
    return (await client.lictor('members', '-status=alive')).match(/\d+\.\d+\.\d+\.\d+/g) ?? [];
  }

  /** Everything that a client must be able to say by itself. */
  async function ask() {
    const path = (name: string): string => `http://${client.address}/v1/${name}`;
    const health = await fetch(path('health/service/echo?cached'));
    const leaf = (await (await fetch(path('agent/connect/ca/leaf/echo'))).json()) as { SerialNumber: string };
    const { TrustDomain } = (await (await fetch(path('agent/connect/ca/roots'))).json()) as { TrustDomain: string };
    const body = JSON.stringify({
      Target: 'echo',
      ClientCertURI: `spiffe://${TrustDomain}/ns/default/dc/dc1/svc/caller`,
      ClientCertSerial: '01',
    });
    const decision = (await (await fetch(path('agent/connect/authorize'), { method: 'POST', body })).json()) as { Authorized: boolean };
    const instances = ((await health.json()) as unknown[]).length;
    const ageS = Number(health.headers.get('age') ?? 0);
    return { instances, ageS, cache: health.headers.get('x-cache'), serial: leaf.SerialNumber, ...decision };
  }
});
