import { afterEach, describe, expect, it } from 'vitest';
import { Cluster } from './testing/cluster.ts';

const IDS = ['a', 'b', 'c'];
const ELECTION_TIMEOUT_MS = 200;
const running: Cluster[] = [];

afterEach(async () => {
  for (const cluster of running.splice(0)) await cluster.stop();
});

async function start(ids: readonly string[] = IDS): Promise<{ cluster: Cluster; leader: string }> {
  const cluster = await Cluster.start(ids);
  running.push(cluster);
  const leader = await cluster.leader();
  await cluster.during(cluster.propose(leader, 'before'));
  return { cluster, leader };
}

describe('a leader whose disk stalls', () => {
  it('has a successor before anyone would have stood for election, and what was proposed last is not lost', async () => {
    const { cluster, leader } = await start();
    const { promise, resolve } = Promise.withResolvers<void>();
    const { disk } = cluster.member(leader);
    disk.gate = promise;
    const stuck = cluster.propose(leader, 'stuck').catch(() => undefined);
    const sinceMs = cluster.clock.monotonic();
    const next = await cluster.leader(leader);
    expect(cluster.clock.monotonic() - sinceMs).toBeLessThan(ELECTION_TIMEOUT_MS);
    await cluster.during(cluster.propose(next, 'after'));
    expect(cluster.member(next).machine.commands).toEqual(['before', 'stuck', 'after']);
    disk.gate = undefined;
    resolve();
    await cluster.during(stuck);
    await cluster.untilAllHave(['before', 'stuck', 'after']);
  });

  it('that is alone goes on: nobody else could', async () => {
    const { cluster, leader } = await start(['a']);
    const { promise, resolve } = Promise.withResolvers<void>();
    const { disk } = cluster.member(leader);
    disk.gate = promise;
    const stuck = cluster.propose(leader, 'stuck');
    await cluster.clock.advance(10 * ELECTION_TIMEOUT_MS);
    disk.gate = undefined;
    resolve();
    expect((await stuck).result).toBe(2);
    expect(cluster.node('a').status()).toMatchObject({ role: 'leader', term: 2 });
  });
});

describe('a leader whose event loop stalls', () => {
  it('hands over by a transfer, in the next term', async () => {
    const { cluster, leader } = await start();
    const { term } = cluster.node(leader).status();
    cluster.member(leader).clock.stall(ELECTION_TIMEOUT_MS * 0.8);
    const next = await cluster.leader(leader);
    expect(cluster.node(next).status().term).toBe(term + 1);
    const warning = cluster.logger.lines.find(({ message }) => message.startsWith('this leader stalls'));
    expect(warning?.fields).toMatchObject({ verdict: 'hand-over' });
    await cluster.during(cluster.propose(next, 'after'));
    await cluster.untilAllHave(['before', 'after']);
  });
});
