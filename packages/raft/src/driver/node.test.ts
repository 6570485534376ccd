import { afterEach, describe, expect, it } from 'vitest';
import { EMPTY_MEMBERSHIP } from '../core/membership.ts';
import { DiskLogStore } from '../storage/log-store.ts';
import type { NodeOptions } from './options.ts';
import { RaftNode } from './node.ts';
import { Cluster } from './testing/cluster.ts';

const IDS = ['a', 'b', 'c'];
const running: Cluster[] = [];

afterEach(async () => {
  for (const cluster of running.splice(0)) await cluster.stop();
});

async function start(options: Partial<NodeOptions> = {}, ids = IDS): Promise<Cluster> {
  const cluster = await Cluster.start(ids, options);
  running.push(cluster);
  return cluster;
}

function range(count: number, prefix = 'c'): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}

async function proposeAll(cluster: Cluster, id: string, commands: readonly string[]): Promise<void> {
  await cluster.during(Promise.all(commands.map((command) => cluster.propose(id, command))));
}

describe('three servers', () => {
  it('elect a leader, and each applies the same commands in the same order', async () => {
    const cluster = await start();
    const leader = await cluster.leader();
    const commands = range(300);
    await proposeAll(cluster, leader, commands);
    await cluster.untilAllHave(commands);
    expect(cluster.leaders()).toEqual([leader]);
  });

  it('give the state machine’s result to whoever proposed', async () => {
    const cluster = await start();
    const leader = await cluster.leader();
    const first = await cluster.during(cluster.propose(leader, 'x'));
    const second = await cluster.during(cluster.propose(leader, 'y'));
    expect([first.result, second.result]).toEqual([1, 2]);
    expect(second.index).toBe(first.index + 1);
  });

  it('put commands that arrive during a write into one batch', async () => {
    const cluster = await start();
    const leader = await cluster.leader();
    await cluster.during(cluster.propose(leader, 'before'));
    const { disk } = cluster.member(leader);
    const before = disk.writes;
    await proposeAll(cluster, leader, range(200));
    expect(disk.writes - before).toBeLessThan(8);
  });

  it('survive the kill and restart of each in turn, without losing what was acknowledged', async () => {
    const cluster = await start();
    const all: string[] = [];
    for (const id of IDS) {
      const leader = await cluster.leader();
      const commands = range(20, `${id}-`);
      await proposeAll(cluster, leader, commands);
      all.push(...commands);
      await cluster.kill(id);
      const next = await cluster.leader();
      await proposeAll(cluster, next, [`without ${id}`]);
      all.push(`without ${id}`);
      await cluster.startNode(id);
      await cluster.untilAllHave(all);
    }
  });

  it('come back after all of them were killed at once', async () => {
    const cluster = await start();
    const commands = range(50);
    await proposeAll(cluster, await cluster.leader(), commands);
    for (const id of IDS) await cluster.kill(id);
    for (const id of IDS) await cluster.startNode(id);
    await proposeAll(cluster, await cluster.leader(), ['after']);
    await cluster.untilAllHave([...commands, 'after']);
  });
});

describe('proposals', () => {
  it('are refused by a follower, which names the leader', async () => {
    const cluster = await start();
    const leader = await cluster.leader();
    const follower = IDS.find((id) => id !== leader) ?? '';
    await cluster.until(() => cluster.node(follower).status().leader === leader, 'the follower knows');
    await expect(cluster.propose(follower, 'x')).rejects.toMatchObject({ code: 'not-leader', leader });
    expect(cluster.node(follower).status().leaderAddress).toBe(`${leader}:8300`);
  });

  it('whose leader is cut off have an unknown outcome, and never a wrong one', async () => {
    const cluster = await start();
    const leader = await cluster.leader();
    await proposeAll(cluster, leader, ['before']);
    cluster.network.cut(leader);
    const lost = cluster.propose(leader, 'lost');
    await expect(cluster.during(lost)).rejects.toMatchObject({ code: 'outcome-unknown' });
    const next = await cluster.leader(leader);
    await proposeAll(cluster, next, ['after']);
    cluster.network.heal();
    await cluster.untilAllHave(['before', 'after']);
  });

  it('that are too large or too many are refused at once', async () => {
    const cluster = await start({ maxCommandBytes: 10, maxUncommittedBytes: 200 });
    const leader = await cluster.leader();
    await expect(cluster.propose(leader, 'x'.repeat(11))).rejects.toMatchObject({ code: 'too-large' });
    const outcomes = await cluster.during(
      Promise.allSettled(range(60, 'command-').map((command) => cluster.propose(leader, command.slice(0, 10)))),
    );
    const codes = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? 'ok' : String((outcome.reason as { code: string }).code)));
    expect(new Set(codes)).toEqual(new Set(['ok', 'overloaded']));
    const applied = cluster.member(leader).machine.commands.length;
    expect(applied).toBe(codes.filter((code) => code === 'ok').length);
  });
});

describe('reads', () => {
  it('wait for what was acknowledged, by lease and by quorum', async () => {
    const cluster = await start();
    const leader = await cluster.leader();
    for (const by of ['lease', 'quorum'] as const) {
      await proposeAll(cluster, leader, [by]);
      await cluster.during(cluster.node(leader).read(by));
      expect(cluster.member(leader).machine.commands.at(-1)).toBe(by);
    }
  });

  it('are refused by followers, and by a leader that reaches nobody once its lease is over', async () => {
    const cluster = await start();
    const leader = await cluster.leader();
    const follower = IDS.find((id) => id !== leader) ?? '';
    await expect(cluster.node(follower).read()).rejects.toMatchObject({ code: 'not-leader' });
    await proposeAll(cluster, leader, ['x']);
    cluster.network.cut(leader);
    await cluster.clock.advance(160);
    await expect(cluster.during(cluster.node(leader).read())).rejects.toMatchObject({ code: 'not-leader' });
  });
});

describe('snapshots', () => {
  const small = { snapshotEntries: 50, snapshotIntervalMs: 0, trailingEntries: 10 };

  it('bring a server up that is behind the log, also when the way breaks once', async () => {
    const cluster = await start(small);
    const leader = await cluster.leader();
    const slow = IDS.find((id) => id !== leader) ?? '';
    await cluster.kill(slow);
    const commands = range(400, 'a longer command to fill the snapshot ');
    for (let at = 0; at < commands.length; at += 40) await proposeAll(cluster, leader, commands.slice(at, at + 40));
    await cluster.node(leader).snapshot();
    expect(cluster.node(leader).status().firstIndex).toBeGreaterThan(300);
    cluster.network.breakSnapshotAfterBytes = 3000;
    await cluster.startNode(slow);
    await cluster.untilAllHave(commands);
    expect(cluster.network.snapshotsSent).toBeGreaterThan(0);
    await proposeAll(cluster, leader, ['more']);
    await cluster.kill(slow);
    await cluster.startNode(slow);
    await cluster.untilAllHave([...commands, 'more']);
  });

  it('and what trails them is all that a restart reads', async () => {
    const cluster = await start(small);
    const commands = range(200);
    await proposeAll(cluster, await cluster.leader(), commands);
    await proposeAll(cluster, await cluster.leader(), range(100, 'd'));
    const all = [...commands, ...range(100, 'd')];
    await cluster.untilAllHave(all);
    for (const id of IDS) await cluster.node(id).snapshot();
    for (const id of IDS) await cluster.kill(id);
    for (const id of IDS) await cluster.startNode(id);
    await cluster.untilAllHave(all);
    expect(cluster.node('a').status().snapshotIndex).toBeGreaterThan(200);
  });

  it('a damaged one is passed over for the one before, and the log makes up for it', async () => {
    const cluster = await start(small);
    const leader = await cluster.leader();
    for (let round = 0; round < 3; round++) {
      await proposeAll(cluster, leader, range(20, `${round}-`));
      await cluster.node(leader).snapshot();
    }
    const expected = [...cluster.member(leader).machine.commands];
    await cluster.kill(leader);
    const { files } = cluster.member(leader);
    files.flip([...files.files.keys()].sort().at(-1) ?? '', 800);
    await cluster.startNode(leader);
    await cluster.untilAllHave(expected);
  });
});

describe('a disk that fails', () => {
  it('stops its server for good; nothing that waits is told that it was done, and another one leads', async () => {
    const cluster = await start();
    const leader = await cluster.leader();
    await proposeAll(cluster, leader, ['before']);
    cluster.member(leader).disk.failure = new Error('ENOSPC: no space left on device');
    await expect(cluster.during(cluster.propose(leader, 'x'))).rejects.toMatchObject({ code: 'outcome-unknown' });
    expect(cluster.member(leader).failures).toMatchObject([{ code: 'storage' }]);
    await expect(cluster.propose(leader, 'y')).rejects.toMatchObject({ code: 'stopped' });
    await expect(cluster.node(leader).read()).rejects.toMatchObject({ code: 'stopped' });
    const next = await cluster.leader(leader);
    await proposeAll(cluster, next, ['after']);
    expect(cluster.member(next).machine.commands.filter((command) => command !== 'x')).toEqual(['before', 'after']);
  });

  it('one that only stalls costs its server the leadership', async () => {
    const cluster = await start();
    const leader = await cluster.leader();
    await proposeAll(cluster, leader, ['before']);
    let open = (): void => undefined;
    const { disk } = cluster.member(leader);
    disk.gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const stuck = cluster.propose(leader, 'stuck').catch(() => undefined);
    const next = await cluster.leader(leader);
    expect(next).not.toBe(leader);
    open();
    disk.gate = undefined;
    await cluster.during(stuck);
    await proposeAll(cluster, await cluster.leader(leader), ['after']);
    await cluster.until(() => cluster.member(leader).machine.commands.at(-1) === 'after', 'it follows');
  });

  it('a log that has lost its end does not start', async () => {
    const cluster = await start();
    await proposeAll(cluster, await cluster.leader(), range(5));
    await cluster.untilAllHave(range(5));
    await cluster.kill('a');
    const { disk } = cluster.member('a');
    disk.put(4, undefined);
    await expect(cluster.startNode('a')).rejects.toMatchObject({ code: 'corrupt' });
  });
});

describe('membership', () => {
  it('a fresh server joins as a learner, becomes a voter, and the old leader leaves', async () => {
    const cluster = await start();
    const leader = await cluster.leader();
    await proposeAll(cluster, leader, range(30));
    cluster.add('d');
    await cluster.startNode('d');
    await cluster.during(cluster.node(leader).changeMembership([{ id: 'd', to: 'learner', address: 'd:8300' }]));
    await cluster.untilAllHave(range(30));
    await cluster.during(cluster.node(leader).changeMembership([{ id: 'd', to: 'voter' }]));
    expect(cluster.node(leader).status().membership).toMatchObject({ voters: ['a', 'b', 'c', 'd'], outgoing: [] });
    await cluster.during(cluster.node(leader).changeMembership([{ id: leader, to: 'none' }]));
    const next = await cluster.leader(leader);
    await proposeAll(cluster, next, ['after']);
    expect(cluster.node(next).status().membership.voters).not.toContain(leader);
  });

  it('leadership goes to whom it is given', async () => {
    const cluster = await start();
    const leader = await cluster.leader();
    await proposeAll(cluster, leader, ['x']);
    const target = IDS.find((id) => id !== leader) ?? '';
    await cluster.during(cluster.node(leader).transferLeadership(target));
    expect(await cluster.leader()).toBe(target);
  });

  it('a cluster is bootstrapped exactly once', async () => {
    const cluster = await start();
    const leader = await cluster.leader();
    await cluster.kill(leader);
    const again = RaftNode.bootstrap(new DiskLogStore(cluster.member(leader).disk), { ...EMPTY_MEMBERSHIP, voters: ['z'] });
    await expect(again).rejects.toMatchObject({ code: 'already-bootstrapped' });
  });
});
