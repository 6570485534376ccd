import { join } from 'node:path';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLoopback } from '../cluster/support/loopback.ts';
import { ClusterServer } from '../cluster/support/server.ts';
import { eventually } from '../support/process.ts';
import { newKey } from './support.ts';

const STEP_MS = 60_000;

describe('two datacenters that share a WAN pool', () => {
  const [firstKey, nextKey] = [newKey(), newKey()];
  const folder = mkdtempSync(join(tmpdir(), 'lictor-gossip-'));
  let servers: [ClusterServer, ClusterServer];

  beforeAll(async () => {
    const network = await createLoopback(2);
    const server = (at: number): ClusterServer =>
      new ClusterServer(at, network.placeOf(at), join(folder, `s${at + 1}`), [
        '-server',
        '-bootstrap',
        `-datacenter=dc${at + 1}`,
        `-encrypt=${firstKey}`,
        '-hcl=performance { raft_multiplier = 1 }',
        '-hcl=gossip_wan { probe_interval = "1s" probe_timeout = "500ms" gossip_interval = "200ms" }',
      ]);
    servers = [server(0), server(1)];
    await Promise.all(servers.map((each) => each.start()));
  }, STEP_MS);
  afterAll(async () => {
    await Promise.all(servers.map((each) => each.kill()));
    rmSync(folder, { recursive: true, force: true });
  });

  it('join with -wan, and know each other by NODE.DATACENTER', { timeout: STEP_MS }, async () => {
    const [one, two] = servers;
    const { host, ports } = two.place;
    expect(await one.lictor('join', '-wan', `${host}:${ports['serf-wan']}`)).toEqual({
      code: 0,
      stdout: 'Successfully joined cluster by contacting 1 nodes.\n',
      stderr: '',
    });
    for (const server of servers)
      await eventually(`${server.name} knows both`, async () => {
        const { stdout } = await server.lictor('members', '-wan');
        return /^s1\.dc1 .* alive .* dc1 /m.test(stdout) && /^s2\.dc2 .* alive .* dc2 /m.test(stdout);
      });
    expect((await one.lictor('members')).stdout.split('\n')).toHaveLength(3);
    expect(await two.json('/v1/catalog/datacenters')).toEqual(['dc2', 'dc1']);
  });

  it('change keys everywhere by one command at one of them', { timeout: STEP_MS }, async () => {
    const [one, two] = servers;
    for (const [flag, key] of [
      ['-install', nextKey],
      ['-use', nextKey],
      ['-remove', firstKey],
    ] as const)
      expect(await two.lictor('keyring', flag, key)).toMatchObject({ code: 0, stderr: '' });
    const keys = (members: number): string => `  ${nextKey} [${members}/${members}]\n`;
    expect((await one.lictor('keyring', '-list')).stdout).toBe(
      `==> Gathering installed encryption keys...\n\nWAN:\n${keys(2)}\ndc1 (LAN):\n${keys(1)}\ndc2 (LAN):\n${keys(1)}`,
    );
  });

  it('tell each other’s agents of events', { timeout: STEP_MS }, async () => {
    const [one, two] = servers;
    const payload = Buffer.from([0, 10, 255]);
    expect((await one.fetch('/v1/event/fire/deploy?dc=dc2&node=s2', { method: 'PUT', body: payload })).status).toBe(200);
    const events = await eventually('it has come', async () => {
      const list = await two.json<{ Name: string; Payload: string }[]>('/v1/event/list');
      return list.length > 0 && list;
    });
    expect(events).toMatchObject([{ Name: 'deploy', Payload: payload.toString('base64') }]);
    expect(await one.json('/v1/event/list')).toEqual([]);
    expect(await (await one.fetch('/v1/event/fire/deploy?dc=dc7', { method: 'PUT' })).text()).toBe('No path to datacenter');
  });

  it('find each other again after a restart, without retry_join_wan', { timeout: STEP_MS }, async () => {
    const [one, two] = servers;
    await two.kill();
    await two.start();
    await eventually('they are together', async () => (await two.lictor('members', '-wan', '-status=alive')).stdout.includes('s1.dc1'));
    await eventually('and serve each other', async () => (await one.fetch('/v1/kv/x?dc=dc2')).status === 404);
  });

  it('say so when a datacenter is out of reach, and change the keys of the others', { timeout: STEP_MS }, async () => {
    const [one, two] = servers;
    await two.kill();
    const asked = await one.lictor('keyring', '-list');
    expect(asked.code).toBe(1);
    expect(asked.stderr).toMatch(/\* (WAN error: 1\/2 nodes reported success|dc2 \(LAN\) error: )/);
    expect((await one.lictor('keyring', '-list', '-local-only')).code).toBe(0);
    await eventually(
      'it has failed',
      async () => (await one.lictor('members', '-wan', '-status=failed')).stdout.includes('s2.dc2'),
      30_000,
    );
    const without = await one.lictor('keyring', '-install', firstKey);
    expect([without.code, without.stderr]).toEqual([
      1,
      'error: Unexpected response code: 500 (1 error occurred:\n\t* dc2 (LAN) error: No path to datacenter)\n',
    ]);
    expect((await one.lictor('keyring', '-list', '-local-only')).stdout).toContain(`${firstKey} [1/1]`);
    expect(await one.lictor('force-leave', '-wan', 's2.dc2')).toEqual({ code: 0, stdout: '', stderr: '' });
    await eventually('it has left', async () => (await one.lictor('members', '-wan', '-status=left')).stdout.includes('s2.dc2'));
  });
});
