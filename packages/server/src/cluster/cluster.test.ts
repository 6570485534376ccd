import * as grpc from '@grpc/grpc-js';
import { silentLogger, silentMetrics } from '@lictor/protocol';
import { systemClock } from '@lictor/protocol/system';
import { afterEach, describe, expect, it } from 'vitest';
import { AGENT_CALLS, PeerRpcClient } from '../peer-rpc/index.ts';
import { type Member, put, TestCluster, until } from '../testing/cluster.ts';

let cluster = new TestCluster();
afterEach(() => cluster.stopAll());

async function three(): Promise<Member[]> {
  cluster = new TestCluster();
  for (const name of ['a', 'b', 'c']) await cluster.add(name);
  await cluster.leader();
  return [...cluster.members.values()];
}

function read(member: Member, key: string, query = {}) {
  return member.server.port.call('KVS.Get', { key }, { query });
}

describe('three servers', { timeout: 60_000 }, () => {
  it('are one cluster: each takes writes and reads, and says truly how fresh its answers are', async () => {
    const members = await three();
    const leader = await cluster.leader();
    for (const [at, member] of members.entries()) expect((await put(member, `k${at}`)).value).toBe(true);
    for (const member of members) {
      for (const consistency of ['default', 'consistent'] as const) {
        const { value, meta } = await read(member, 'k2', { consistency });
        expect([value?.Key, meta]).toEqual(['k2', expect.objectContaining({ knownLeader: true, lastContactMs: 0, consistency })]);
      }
      const stale = async () => (await read(member, 'k2', { consistency: 'stale' })).meta;
      expect(await stale()).toMatchObject({ knownLeader: true, consistency: 'stale' });
      const contact = async (): Promise<number> => (await stale()).lastContactMs;
      if (member === leader) expect(await contact()).toBe(0);
      // Whole milliseconds: right after a heartbeat it is 0, too.
      else await expect.poll(contact, { interval: 1, timeout: 10_000 }).toBeGreaterThan(0);
    }
    const { value } = await members[0]!.server.port.call('Operator.RaftGetConfiguration', {});
    expect(value.Servers.map(({ Node, Voter, Leader }) => [Node, Voter, Leader])).toEqual(
      ['a', 'b', 'c'].map((name) => [name, true, name === leader.name]),
    );
  });

  it('show a write on every server to whoever brings its index', async () => {
    const members = await three();
    for (let round = 0; round < 20; round++) {
      const { index } = await put(members[round % 3] as Member, 'k', String(round));
      for (const member of members) {
        const { value } = await read(member, 'k', { consistency: 'stale', appliedIndex: index });
        expect(Buffer.from(value?.Value ?? []).toString()).toBe(String(round));
      }
    }
  });

  it('wake a blocked query on a follower by a write on another', async () => {
    const members = await three();
    const follower = await cluster.follower();
    const { meta } = await read(follower, 'k');
    const waiting = [read(follower, 'k', { minIndex: meta.index }), read(follower, 'k', { minIndex: meta.index, consistency: 'stale' })];
    await put(members.find((member) => member !== follower) as Member, 'k');
    for (const { value } of await Promise.all(waiting)) expect(value?.Key).toBe('k');
  });

  it.each(['default', 'consistent'] as const)('let a deposed leader answer no blocked %s query: the next one does', async (consistency) => {
    await three();
    const deposed = await cluster.leader();
    await put(deposed, 'k', 'old');
    const { meta } = await read(deposed, 'k');
    const query = { minIndex: meta.index, consistency };
    // By itself, and with the help of the others.
    const refused = expect(deposed.server.direct.call('KVS.Get', { key: 'k' }, { query })).rejects.toMatchObject({ code: 'no-leader' });
    const answered = read(deposed, 'k', query);
    await until(() => deposed.server.consensus.mayAnswerReads);
    await deposed.server.consensus.transferLeadership();
    await put(await cluster.leader(), 'k', 'new');
    await refused;
    expect(Buffer.from((await answered).value?.Value ?? []).toString()).toBe('new');
  });

  it('go on without their leader, and hold calls until there is the next one', async () => {
    await three();
    const before = await cluster.leader();
    const other = await cluster.follower();
    await put(other, 'before');
    const stopped = cluster.stop(before.name);
    expect((await put(other, 'after')).value).toBe(true);
    await stopped;
    const after = await cluster.leader();
    expect(after.name).not.toBe(before.name);
    expect((await read(other, 'before')).value?.Key).toBe('before');
  });

  it('restore a snapshot everywhere, whoever is asked', async () => {
    const members = await three();
    const follower = await cluster.follower();
    await put(follower, 'kept');
    const { value: archive } = await follower.server.port.call('Snapshot.Save', {});
    await put(follower, 'gone');
    const { index } = await follower.server.port.call('Snapshot.Restore', { archive });
    for (const member of members) {
      const { value } = await member.server.port.call(
        'KVS.ListKeys',
        { prefix: '', separator: '' },
        { query: { consistency: 'stale', appliedIndex: index } },
      );
      expect(value).toEqual(['kept']);
    }
    expect((await put(follower, 'later')).index).toBeGreaterThan(index);
  });

  it('hand leadership over before the leader leaves, and take it out', async () => {
    const members = await three();
    const leader = await cluster.leader();
    await leader.server.leave();
    await cluster.stop(leader.name);
    const rest = members.filter((member) => member !== leader);
    await until(() => rest[0]!.server.consensus.configuration().Servers.length === 2);
    expect((await put(rest[1] as Member, 'after')).value).toBe(true);
  });

  it('change their membership one change after the other, however they are asked', async () => {
    const members = await three();
    const leader = await cluster.leader();
    const others = members.filter((member) => member !== leader);
    const { consensus } = leader.server;
    await Promise.all(others.map(({ config }) => consensus.setServer(config.nodeId, config.rpcAddress, false)));
    const voters = consensus.configuration().Servers.filter(({ Voter }) => Voter);
    expect(voters.map(({ ID }) => ID)).toEqual([leader.config.nodeId]);
    expect((await put(others[0] as Member, 'k')).value).toBe(true);
  });

  it('take in a fourth, which gets the whole state', async () => {
    const [first] = await three();
    for (let at = 0; at < 50; at++) await put(first as Member, `k${at}`);
    const { index } = await put(first as Member, 'last');
    const fourth = await cluster.add('d');
    const { value } = await until(() => fourth.server.consensus.appliedIndex >= index).then(() =>
      read(fourth, 'last', { consistency: 'stale' }),
    );
    expect(value?.Key).toBe('last');
    const servers = (await cluster.leader()).server.consensus.configuration().Servers;
    expect(servers.find(({ Node }) => Node === 'd')).toMatchObject({ Voter: false });
  });

  it('give a call up after the hold time when no quorum is left', async () => {
    cluster = new TestCluster({ rpcHoldMs: 300 });
    for (const name of ['a', 'b', 'c']) await cluster.add(name);
    const leader = await cluster.leader();
    const [one, two] = [...cluster.members.values()].filter((member) => member !== leader) as [Member, Member];
    await Promise.all([cluster.stop(leader.name), cluster.stop(two.name)]);
    await until(() => one.server.consensus.leaderId === '');
    await expect(put(one, 'k')).rejects.toMatchObject({ code: 'no-leader', message: 'No cluster leader' });
    expect((await read(one, 'k', { consistency: 'stale' })).meta).toMatchObject({ knownLeader: false });
  });
});

describe('client agents', { timeout: 60_000 }, () => {
  it('are answered by every server, with the leader’s help where it is needed; servers answer each other here or not at all', async () => {
    await three();
    const leader = await cluster.leader();
    const follower = await cluster.follower();
    await put(leader, 'k');
    const ports = { clock: systemClock, logger: silentLogger, metrics: silentMetrics };
    const credentials = () => grpc.credentials.createInsecure();
    const agent = new PeerRpcClient({ calls: AGENT_CALLS, credentials }, ports);
    const peer = new PeerRpcClient({ credentials }, ports);
    const { rpcAddress } = follower.config;
    expect(await agent.call(rpcAddress, 'KVS.Get', { key: 'k' }, {})).toMatchObject({
      value: { Key: 'k' },
      meta: { consistency: 'default' },
    });
    await expect(peer.call(rpcAddress, 'KVS.Get', { key: 'k' }, {})).rejects.toMatchObject({ code: 'no-leader' });
    agent.close();
    peer.close();
  });
});
