import { describe, expect, it } from 'vitest';
import { AUTOPILOT_SET_CONFIG } from '../fsm/commands/autopilot.ts';
import { DEFAULT_AUTOPILOT } from '@lictor/protocol';
import { AUTOPILOT_KEY, autopilotTable } from '../state/tables/autopilot.ts';
import { createTestCluster, type TestCluster } from './testing/cluster.ts';
import type { TestServer } from './testing/observation.ts';

const LEADER: TestServer = { role: 'leader' };
const THREE = { a: LEADER, b: {}, c: {} };

/** A leader whose servers answer. */
async function leading(servers: Readonly<Record<string, TestServer>> = THREE): Promise<TestCluster> {
  const cluster = createTestCluster(servers);
  for (const id of Object.keys(servers)) cluster.answers[id] = {};
  cluster.lead(true);
  await cluster.autopilot.start();
  await cluster.clock.advance(0);
  return cluster;
}

describe('autopilot of a leader', () => {
  it('writes the agent’s configuration when the cluster has none (consul-facts K063)', async () => {
    const cluster = await leading();
    expect(cluster.store.reader().peek(autopilotTable, AUTOPILOT_KEY)).toMatchObject(DEFAULT_AUTOPILOT);
    cluster.autopilot.close();
  });

  it('tries that again until it succeeds, and never overwrites an operator’s', async () => {
    const cluster = createTestCluster(THREE);
    cluster.lead(true);
    cluster.propose.failWith = new Error('no quorum');
    await cluster.autopilot.start();
    cluster.propose.failWith = undefined;
    cluster.store.apply(AUTOPILOT_SET_CONFIG, { config: { ...DEFAULT_AUTOPILOT, MinQuorum: 3 } });
    await cluster.clock.advance(5000);
    expect(cluster.store.reader().peek(autopilotTable, AUTOPILOT_KEY)?.MinQuorum).toBe(3);
    cluster.autopilot.close();
  });

  it('adds a server as soon as the directory has it, and promotes it when it is stable (consul-facts T018)', async () => {
    const cluster = await leading();
    await cluster.clock.advance(20_000);
    cluster.answers['d'] = {};
    cluster.know({ ...THREE, d: { role: 'none' } });
    await cluster.clock.advance(0);
    expect(cluster.changes).toEqual(['set d d:1 non-voter']);
    await cluster.clock.advance(9000);
    expect(cluster.changes).toHaveLength(1);
    await cluster.clock.advance(4000);
    expect(cluster.changes).toEqual(['set d d:1 non-voter', 'set d d:1 voter']);
    cluster.autopilot.close();
  });

  it('removes a server that failed when it does not answer any more', async () => {
    const cluster = await leading();
    delete cluster.answers['c'];
    cluster.know({ ...THREE, c: { status: 'failed' } });
    await cluster.clock.advance(0);
    expect(cluster.changes).toEqual([]);
    await cluster.clock.advance(10_000);
    expect(cluster.changes).toEqual(['remove c']);
    cluster.autopilot.close();
  });

  it('removes a server that left at once', async () => {
    const cluster = await leading();
    cluster.know({ ...THREE, c: { status: 'left' } });
    await cluster.clock.advance(0);
    expect(cluster.changes).toEqual(['remove c']);
    cluster.autopilot.close();
  });

  it('tries a failed change again with the next round, and goes on with nothing behind it', async () => {
    const cluster = await leading();
    cluster.refusal = new Error('membership change under way');
    cluster.know({ ...THREE, b: { status: 'left' }, c: { status: 'left' } });
    await cluster.clock.advance(0);
    expect(cluster.changes).toEqual(['remove b']);
    cluster.refusal = undefined;
    await cluster.clock.advance(10_000);
    expect(cluster.changes).toEqual(['remove b', 'remove b', 'remove c']);
    cluster.autopilot.close();
  });

  it('leaves out for a while whom an operator removed', async () => {
    const cluster = await leading({ a: LEADER, b: { role: 'none', status: 'failed' } });
    cluster.autopilot.noteRemoved('b');
    cluster.know({ a: LEADER, b: { role: 'none' } });
    await cluster.clock.advance(50_000);
    expect(cluster.changes).toEqual([]);
    await cluster.clock.advance(20_000);
    expect(cluster.changes[0]).toBe('set b b:1 non-voter');
    cluster.autopilot.close();
  });

  it('measures health and tolerance every two seconds (consul-facts M005)', async () => {
    const cluster = await leading();
    expect(cluster.gauges).toEqual({ 'autopilot.healthy': 1, 'autopilot.failure_tolerance': 1 });
    expect(cluster.asked).toEqual(['b', 'c']);
    delete cluster.answers['c'];
    await cluster.clock.advance(12_000);
    expect(cluster.gauges).toEqual({ 'autopilot.healthy': 0, 'autopilot.failure_tolerance': 0 });
    expect(cluster.autopilot.state().Servers['c']).toMatchObject({ Healthy: false, LastContact: -1 });
    cluster.autopilot.close();
  });

  it('asks a silent server no second time while it still waits for it', async () => {
    const cluster = await leading();
    delete cluster.answers['c'];
    await cluster.clock.advance(2000);
    const before = cluster.asked.filter((id) => id === 'c').length;
    await cluster.clock.advance(1999);
    expect(cluster.asked.filter((id) => id === 'c')).toHaveLength(before);
    await cluster.clock.advance(4000);
    expect(cluster.asked.filter((id) => id === 'c').length).toBeGreaterThan(before);
    cluster.autopilot.close();
  });

  it('changes nothing once it does not lead, and leaves no timer behind', async () => {
    const cluster = await leading();
    cluster.autopilot.stop();
    cluster.lead(false);
    expect(cluster.clock.pendingTimers).toBe(0);
    cluster.know({ ...THREE, c: { status: 'left' } });
    await cluster.clock.advance(60_000);
    expect(cluster.changes).toEqual([]);
  });
});

describe('autopilot of a follower', () => {
  it('watches, so that it knows who is healthy when it comes to lead, and changes nothing', async () => {
    const cluster = createTestCluster({ a: { role: 'voter' }, b: LEADER, c: {} });
    for (const id of ['b', 'c']) cluster.answers[id] = {};
    cluster.autopilot.watch();
    cluster.know({ a: {}, b: LEADER, c: { status: 'left' } });
    await cluster.clock.advance(30_000);
    expect(cluster.asked.slice(0, 2)).toEqual(['b', 'c']);
    expect(cluster.changes).toEqual([]);
    cluster.autopilot.stop();
    expect(cluster.clock.pendingTimers).toBeGreaterThan(0);
    cluster.autopilot.close();
    expect(cluster.clock.pendingTimers).toBe(0);
  });
});
