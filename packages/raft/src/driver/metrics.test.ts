import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cluster } from './testing/cluster.ts';
import type { Metric } from './testing/memory-metrics.ts';

const IDS = ['a', 'b', 'c'];
const COMMANDS = 200;

/** Consul's names (telemetry reference, "raft"; consul-facts M005), of which kind they are, and what else holds for the values. */
const CONSUL: readonly (readonly [name: string, kind: Metric['kind'], holds: (values: readonly number[]) => boolean])[] = [
  ['raft.apply', 'counter', (values) => sum(values) >= COMMANDS],
  ['raft.commitTime', 'sample', (values) => Math.max(...values) >= 30],
  ['raft.commitNumLogs', 'gauge', (values) => Math.max(...values) > 1],
  ['raft.leader.lastContact', 'sample', (values) => Math.max(...values) >= 50],
  ['raft.leader.dispatchLog', 'sample', (values) => Math.max(...values) >= 30],
  ['raft.leader.dispatchNumLogs', 'gauge', (values) => Math.max(...values) > 1],
  ['raft.leader.oldestLogAge', 'gauge', (values) => Math.max(...values) >= 2000],
  ['raft.state.leader', 'counter', (values) => sum(values) >= 2],
  ['raft.state.candidate', 'counter', (values) => sum(values) >= 2],
  ['raft.state.follower', 'counter', (values) => sum(values) >= 3],
  ['raft.candidate.electSelf', 'sample', (values) => values.length >= 2],
  ['raft.transition.heartbeat_timeout', 'counter', (values) => sum(values) >= 2],
  ['raft.transition.leader_lease_timeout', 'counter', (values) => sum(values) === 1],
  ['raft.verify_leader', 'counter', (values) => sum(values) === 1],
  ['raft.replication.appendEntries.rpc', 'sample', (values) => Math.max(...values) >= 30],
  ['raft.replication.appendEntries.logs', 'counter', (values) => sum(values) >= 2 * COMMANDS],
  ['raft.replication.heartbeat', 'sample', (values) => values.length > 10],
  ['raft.rpc.appendEntries', 'sample', (values) => Math.max(...values) >= 30],
  ['raft.rpc.appendEntries.storeLogs', 'sample', (values) => Math.max(...values) >= 30],
  ['raft.rpc.appendEntries.processLogs', 'sample', (values) => values.length > 10],
  ['raft.rpc.processHeartbeat', 'sample', (values) => values.length > 10],
  ['raft.rpc.requestVote', 'sample', (values) => values.length >= 2],
  ['raft.rpc.installSnapshot', 'sample', (values) => values.length >= 1],
  ['raft.snapshot.create', 'sample', (values) => values.length >= 3],
  ['raft.snapshot.persist', 'sample', (values) => values.length >= 3],
  ['raft.snapshot.takeSnapshot', 'sample', (values) => values.length >= 3],
  ['raft.fsm.apply', 'sample', (values) => values.length > 10],
  ['raft.fsm.enqueue', 'sample', (values) => values.length > 10],
  ['raft.fsm.snapshot', 'sample', (values) => values.length >= 3],
  ['raft.fsm.restore', 'sample', (values) => values.length >= 2],
  ['raft.fsm.lastRestoreDuration', 'gauge', (values) => values.length >= 2],
  ['raft.last_index', 'gauge', (values) => Math.max(...values) > COMMANDS],
  ['raft.applied_index', 'gauge', (values) => Math.max(...values) > COMMANDS],
  ['raft.thread.main.saturation', 'sample', (values) => values.length > 1 && Math.max(...values) <= 1],
  ['raft.thread.fsm.saturation', 'sample', (values) => values.length > 1 && Math.max(...values) <= 1],
];
/** Ours. */
const OWN = ['raft.leader.stalled', 'raft.snapshot.failed', 'raft.rpc.rejected', 'raft.rpc.denied', 'raft.rpc.dropped'];

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

let cluster: Cluster;
let all: readonly Metric[];

beforeAll(async () => {
  cluster = await Cluster.start(IDS, { snapshotEntries: 1_000_000, trailingEntries: 5 });
  const leader = await cluster.leader();
  const follower = IDS.find((id) => id !== leader) ?? '';
  await slowDisks(cluster, 30, () => proposeAll(leader, COMMANDS));
  await cluster.during(cluster.node(leader).read('quorum'));
  await cluster.clock.advance(3000);
  await cluster.kill(follower);
  await proposeAll(leader, 20);
  for (const id of IDS) if (id !== follower) await cluster.node(id).snapshot();
  await cluster.startNode(follower);
  await cluster.until(() => cluster.node(follower).status().applied === cluster.node(leader).status().applied, 'the snapshot is there');
  cluster.network.cut(leader);
  const next = await cluster.leader(leader);
  await cluster.clock.advance(1000);
  cluster.network.heal();
  await proposeAll(next, 5);
  await cluster.node(next).snapshot();
  await cluster.kill(leader);
  await cluster.startNode(leader);
  await cluster.clock.advance(3000);
  all = IDS.flatMap((id) => cluster.member(id).metrics.all);
});

afterAll(async () => cluster.stop());

async function proposeAll(to: string, count: number): Promise<void> {
  await cluster.during(Promise.all(Array.from({ length: count }, (_, at) => cluster.propose(to, `command ${at}`))));
}

async function slowDisks(of: Cluster, delayMs: number, work: () => Promise<void>): Promise<void> {
  for (const { disk } of of.members.values()) disk.gate = new Promise((resolve) => of.clock.setTimer(delayMs, resolve));
  await work();
  for (const { disk } of of.members.values()) disk.gate = undefined;
}

describe('the metrics that Consul has', () => {
  it.each(CONSUL)('%s is a %s, of plausible values', (name, kind, holds) => {
    const found = all.filter((metric) => metric.name === name);
    expect(new Set(found.map((metric) => metric.kind))).toEqual(new Set([kind]));
    const values = found.map(({ value }) => value);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
    expect(holds(values), `${values.slice(0, 50).join(' ')}`).toBe(true);
  });

  it('follow the log and the roles of each server', () => {
    for (const id of IDS) {
      const { metrics } = cluster.member(id);
      expect(metrics.values('raft.last_index').at(-1)).toBe(cluster.node(id).status().lastIndex);
      expect(metrics.values('raft.applied_index').at(-1)).toBe(cluster.node(id).status().applied);
    }
  });

  it('have labels of members only', () => {
    for (const { labels } of all)
      for (const [key, value] of Object.entries(labels)) expect([key, IDS.includes(value)]).toEqual(['peer_id', true]);
  });

  it('say that the oldest entry is younger after a snapshot', async () => {
    const fresh = await Cluster.start(['a']);
    const ages = (): readonly number[] => fresh.member('a').metrics.values('raft.leader.oldestLogAge');
    await fresh.clock.advance(5000);
    await fresh.during(fresh.propose('a', 'x'));
    await fresh.clock.advance(3000);
    expect(ages().at(-1)).toBeGreaterThan(7000);
    await fresh.stop();
    const trimmed = await Cluster.start(['a'], { trailingEntries: 1 });
    await trimmed.clock.advance(5000);
    await trimmed.during(trimmed.propose('a', 'x'));
    await trimmed.node('a').snapshot();
    await trimmed.clock.advance(1000);
    expect(trimmed.member('a').metrics.values('raft.leader.oldestLogAge').at(-1)).toBeLessThan(2000);
    await trimmed.stop();
  });
});

describe('a snapshot that fails', () => {
  it('is counted, and told to whoever asked for it', async () => {
    const one = await Cluster.start(['a'], { snapshotEntries: 5, snapshotIntervalMs: 0 });
    const { files, metrics } = one.member('a');
    files.failure = new Error('ENOSPC: no space left on device');
    await one.clock.advance(1);
    await one.during(Promise.all(Array.from({ length: 10 }, () => one.propose('a', 'x'))));
    await one.clock.advance(1);
    expect(metrics.sum('raft.snapshot.failed')).toBe(1);
    await expect(one.node('a').snapshot()).rejects.toThrow('ENOSPC');
    files.failure = undefined;
    await one.node('a').snapshot();
    expect(one.node('a').status().snapshotIndex).toBe(12);
    await one.stop();
  });
});

describe('the README', () => {
  it('lists every metric, and no other', () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8').split('## Metrics')[1] ?? '';
    const listed = [...readme.matchAll(/`(raft\.[\w.]+)`/g)].map(([, name]) => name ?? '');
    expect(listed.toSorted()).toEqual([...CONSUL.map(([name]) => name), ...OWN].toSorted());
  });

  it('and so does this test', () => {
    const measured = new Set(all.map(({ name }) => name));
    const known = new Set([...CONSUL.map(([name]) => name), ...OWN]);
    expect([...measured].filter((name) => !known.has(name))).toEqual([]);
  });
});
