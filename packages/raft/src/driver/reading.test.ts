import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { NodeStatus } from './options.ts';
import { Cluster } from './testing/cluster.ts';

const IDS = ['a', 'b', 'c'];
const running: Cluster[] = [];

afterEach(async () => {
  for (const cluster of running.splice(0)) await cluster.stop();
});

async function start(ids: readonly string[] = IDS): Promise<Cluster> {
  const cluster = await Cluster.start(ids);
  running.push(cluster);
  return cluster;
}

function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

describe('a sole voter', () => {
  it('leads, and answers reads, before any time has passed', async () => {
    const cluster = await start(['a']);
    await setImmediate();
    const node = cluster.node('a');
    expect(node.status().role).toBe('leader');
    expect(node.canAnswerReads()).toBe(true);
    const { result } = await node.propose(Buffer.from('x'));
    expect([result, cluster.clock.monotonic()]).toEqual([1, 0]);
  });

  it('needs nobody for its lease, whatever time goes by', async () => {
    const cluster = await start(['a']);
    await setImmediate();
    await cluster.clock.advance(60_000);
    expect(cluster.node('a').canAnswerReads()).toBe(true);
  });

  it('that was once one of several does not lead before a change makes it the sole one', async () => {
    const cluster = await start(['a', 'b']);
    await setImmediate();
    expect(cluster.leaders()).toEqual([]);
    const leader = await cluster.leader();
    const other = leader === 'a' ? 'b' : 'a';
    await cluster.during(cluster.node(leader).changeMembership([{ id: other, to: 'none' }]));
    await cluster.kill(leader);
    await cluster.startNode(leader);
    await setImmediate();
    expect(cluster.leaders()).toEqual([leader]);
  });
});

describe('an answer without a promise (thesis 6.4.1)', () => {
  it('is for a leader with a lease', async () => {
    const cluster = await start();
    const leader = await cluster.leader();
    await cluster.during(cluster.propose(leader, 'x'));
    await cluster.until(() => cluster.node(leader).canAnswerReads(), 'the lease begins');
    for (const id of IDS) expect(cluster.node(id).canAnswerReads()).toBe(id === leader);
    cluster.network.cut(leader);
    await cluster.clock.advance(160);
    expect(cluster.node(leader).status().role).toBe('leader');
    expect(cluster.node(leader).canAnswerReads()).toBe(false);
  });

  it('waits for all that former leaders may have acknowledged, as far as it is applied', async () => {
    const cluster = await start(['a']);
    await setImmediate();
    await cluster.node('a').propose(Buffer.from('acknowledged'));
    await cluster.kill('a');
    const { opened, open } = gate();
    await cluster.startNode('a', (machine) => {
      machine.gate = opened;
    });
    await setImmediate();
    const { machine } = cluster.member('a');
    expect(cluster.node('a').status()).toMatchObject({ role: 'leader', committed: 4, applied: 2 });
    expect(cluster.node('a').canAnswerReads()).toBe(false);
    open();
    await setImmediate();
    expect(cluster.node('a').canAnswerReads()).toBe(true);
    expect(machine.commands).toEqual(['acknowledged']);
  });

  it('ends when leadership is given away, when it is lost, and when the server stops', async () => {
    const cluster = await start();
    const leader = await cluster.leader();
    await cluster.until(() => cluster.node(leader).canAnswerReads(), 'the lease begins');
    const heir = IDS.find((id) => id !== leader) ?? '';
    const given = cluster.node(leader).transferLeadership(heir);
    expect(cluster.node(leader).canAnswerReads()).toBe(false);
    await cluster.during(given);
    await cluster.until(() => cluster.node(heir).canAnswerReads(), 'the heir has its own');
    expect(cluster.node(leader).canAnswerReads()).toBe(false);
    const node = cluster.node(heir);
    await cluster.kill(heir);
    expect(node.canAnswerReads()).toBe(false);
  });

  it('is not given again in a term whose heir was told to stand and did not', async () => {
    const cluster = await start();
    const leader = await cluster.leader();
    await cluster.until(() => cluster.node(leader).canAnswerReads(), 'the lease begins');
    const heir = IDS.find((id) => id !== leader) ?? '';
    cluster.network.cut(heir);
    const given = cluster.node(leader).transferLeadership(heir);
    await expect(cluster.during(given)).rejects.toMatchObject({ code: 'transferring' });
    cluster.network.heal();
    await cluster.clock.advance(1000);
    expect(cluster.node(leader).status().role).toBe('leader');
    expect(cluster.node(leader).canAnswerReads()).toBe(false);
    await cluster.during(cluster.node(leader).read());
  });
});

describe('a read before anything of the term is committed', () => {
  it.each(['lease', 'quorum'] as const)('by %s, is answered as soon as that is, without waiting for a heartbeat', async (by) => {
    const cluster = await start();
    const asked = Promise.withResolvers<{ readonly atMs: number; readonly answered: Promise<number> }>();
    for (const id of IDS) {
      const node = cluster.node(id);
      node.onStatus(({ role, committed }) => {
        if (role !== 'leader' || committed >= 2) return;
        asked.resolve({ atMs: cluster.clock.monotonic(), answered: node.read(by).then(() => cluster.clock.monotonic()) });
      });
    }
    await cluster.leader();
    const { atMs, answered } = await asked.promise;
    expect(await answered).toBe(atMs);
  });
});

describe('a command that takes long', () => {
  it('holds up what comes after it, and snapshots, and nothing else', async () => {
    const cluster = await start(['a']);
    await setImmediate();
    const node = cluster.node('a');
    const { machine } = cluster.member('a');
    const { opened, open } = gate();
    machine.gate = opened;
    const long = node.propose(Buffer.from('long'));
    await setImmediate();
    machine.gate = undefined;
    const next = node.propose(Buffer.from('next'));
    const saved = node.snapshot();
    await cluster.clock.advance(1000);
    expect(machine.commands).toEqual(['long']);
    expect(node.status()).toMatchObject({ role: 'leader', applied: 2, committed: 4, snapshotIndex: 0 });
    open();
    expect([(await long).result, (await next).result]).toEqual([1, 2]);
    await saved;
    await cluster.kill('a');
    await cluster.startNode('a');
    const { restoredFrom } = cluster.member('a').machine;
    expect(restoredFrom).toMatchObject({ term: 2, membership: { voters: ['a'] } });
    // With `next` or without: what it holds is what its index says, or a command would be lost or doubled now.
    await setImmediate();
    expect(cluster.member('a').machine.commands).toEqual(['long', 'next']);
    expect(cluster.node('a').status()).toMatchObject({ snapshotIndex: restoredFrom?.index, snapshotTerm: 2, lastTerm: 3 });
  });

  it('that rejects stops its server, as one that throws does', async () => {
    const cluster = await start(['a']);
    await setImmediate();
    cluster.member('a').machine.gate = Promise.reject(new Error('not total'));
    await expect(cluster.propose('a', 'x')).rejects.toMatchObject({ code: 'outcome-unknown' });
    expect(cluster.member('a').failures).toMatchObject([{ message: 'not total' }]);
  });
});

describe('those who listen to the status', () => {
  it('hear of each change of the membership', async () => {
    const cluster = await start(['a']);
    await setImmediate();
    const heard: NodeStatus['membership'][] = [];
    cluster.node('a').onStatus(({ membership }) => heard.push(membership));
    await cluster.node('a').changeMembership([{ id: 'z', to: 'learner', address: 'z:8300' }]);
    expect(heard).toMatchObject([{ voters: ['a'], learners: ['z'], addresses: { z: 'z:8300' } }]);
  });
});
