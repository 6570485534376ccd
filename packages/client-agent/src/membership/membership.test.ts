import { createServer } from 'node:net';
import { silentLogger } from '@lictor/protocol';
import { systemClock } from '@lictor/protocol/system';
import { describe, expect, it } from 'vitest';
import { createTestConfig } from '../testing/config.ts';
import type { AgentPool, PoolMember } from '../contracts/index.ts';
import { AgentMembership } from './membership.ts';

const membership = new AgentMembership({
  config: () => createTestConfig({ nodeName: 'obs' }),
  clock: systemClock,
  logger: silentLogger,
  buildTag: '1.21.0dev:',
  pools: {},
});

describe('membership of one (observed: agent-other)', () => {
  it('shows this server as Serf would, on the LAN and on the WAN', () => {
    const [lan] = membership.members(false);
    expect(lan).toEqual({
      Name: 'obs',
      Addr: '127.0.0.1',
      Port: 8301,
      Tags: {
        acls: '0',
        build: '1.21.0dev:',
        dc: 'dc1',
        ft_fs: '1',
        ft_si: '1',
        grpc_port: '8502',
        grpc_tls_port: '8503',
        id: 'b7954a44-6b47-d167-ce15-bd81dcdc2d54',
        port: '8300',
        raft_vsn: '3',
        role: 'consul',
        segment: '',
        vsn: '2',
        vsn_max: '3',
        vsn_min: '2',
        wan_join_port: '8302',
      },
      Status: 1,
      ProtocolMin: 1,
      ProtocolMax: 5,
      ProtocolCur: 2,
      DelegateMin: 2,
      DelegateMax: 5,
      DelegateCur: 4,
    });
    const [wan] = membership.members(true);
    expect(wan).toMatchObject({ Name: 'obs.dc1', Port: 8302 });
    expect(wan?.Tags).not.toHaveProperty('wan_join_port');
  });

  it('knows nobody else', async () => {
    await expect(membership.forceLeave('nope', { prune: false, wan: false })).rejects.toThrow("agent: No node found with name 'nope'");
    await membership.forceLeave('obs', { prune: false, wan: false });
  });

  it('joins itself, and says why it cannot join others', async () => {
    await membership.join('127.0.0.1', false);
    const server = createServer((socket) => socket.on('error', () => undefined));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await expect(membership.join(`127.0.0.1:${port}`, false)).rejects.toThrow(
      'it answers, but this agent runs by itself and cannot join others',
    );
    await new Promise((resolve) => server.close(resolve));
    await expect(membership.join(`127.0.0.1:${port}`, false)).rejects.toMatchObject({
      httpStatus: 500,
      message: `1 error occurred:\n\t* Failed to join 127.0.0.1:${port}: dial tcp 127.0.0.1:${port}: connect: connection refused\n\n`,
    });
  });
});

describe('membership of a pool', () => {
  const members: PoolMember[] = [
    { name: 'obs', address: '127.0.0.1:8301', tags: { role: 'consul' }, status: 'alive' },
    { name: 'gone', address: '[::2]:8301', tags: { role: 'node' }, status: 'failed' },
  ];
  const left: string[] = [];
  const pool: AgentPool = {
    members: () => members,
    onChange: () => () => undefined,
    join: ([address = '']) =>
      Promise.resolve(
        address.endsWith(':1') ? { joined: 0, failures: [{ address, error: new Error('wrong datacenter') }] } : { joined: 1, failures: [] },
      ),
    forceLeave: (name) => members.some((member) => member.name === name) && left.push(name) > 0,
    sendUserEvent: () => undefined,
    onUserEvent: () => () => undefined,
    coordinate: () => ({ Vec: [0.1], Error: 0.2, Adjustment: 0, Height: 0.001 }),
    stats: () => ({ members: 9, failed: 9, left: 9, health_score: 2, event_time: 5, encrypted: 1 }),
  };
  const pooled = new AgentMembership({
    config: () => createTestConfig({ nodeName: 'obs' }),
    clock: systemClock,
    logger: silentLogger,
    buildTag: '1.21.0:',
    pools: { lan: pool },
  });

  it('is what the pool knows', () => {
    expect(pooled.members(false)).toMatchObject([
      { Name: 'obs', Addr: '127.0.0.1', Port: 8301, Status: 1 },
      { Name: 'gone', Addr: '::2', Status: 4, Tags: { role: 'node' } },
    ]);
    expect(pooled.members(true)).toMatchObject([{ Name: 'obs.dc1' }]);
  });

  it('has the pool’s coordinate and counters, and zeros for those that it does not know', () => {
    expect(pooled.coordinate().Vec).toEqual([0.1]);
    expect(pooled.stats(false)).toMatchObject({ members: 2, failed: 1, left: 0, health_score: 2, event_time: 5, query_queue: 0 });
    expect(pooled.stats(true)).toMatchObject({ members: 1, failed: 0, event_time: 1, coordinate_resets: 0 });
  });

  it('is changed by join and force-leave', async () => {
    await pooled.join('127.0.0.9', false);
    await expect(pooled.join('127.0.0.1:1', false)).rejects.toThrow(/^1 error occurred:\n\t\* Failed to join 127.0.0.1:1: dial tcp/);
    await pooled.forceLeave('gone', { prune: false, wan: false });
    expect(left).toEqual(['gone']);
    await expect(pooled.forceLeave('nope', { prune: false, wan: false })).rejects.toThrow("agent: No node found with name 'nope'");
  });

  it('takes a server out of both pools, or out of the WAN pool alone', async () => {
    const removed: string[] = [];
    const named = (wan: string): AgentPool => ({
      ...pool,
      forceLeave: (name, { prune }) => {
        const isKnown = wan === 'wan' ? name === 's2.dc1' || name === 'other.dc2' : name === 's2';
        if (isKnown) removed.push(`${wan} ${name} ${prune}`);
        return isKnown;
      },
    });
    const both = new AgentMembership({
      config: () => createTestConfig({ nodeName: 'obs' }),
      clock: systemClock,
      logger: silentLogger,
      buildTag: '1.21.0:',
      pools: { lan: named('lan'), wan: named('wan') },
    });
    await both.forceLeave('s2', { prune: true, wan: false });
    await both.forceLeave('other.dc2', { prune: false, wan: true });
    expect(removed).toEqual(['lan s2 true', 'wan s2.dc1 true', 'wan other.dc2 false']);
    await expect(both.forceLeave('s2', { prune: false, wan: true })).rejects.toThrow("agent: No node found with name 's2'");
  });

  it('has no WAN pool on a client', async () => {
    const client = new AgentMembership({
      config: () => createTestConfig({ nodeName: 'c', server: false }),
      clock: systemClock,
      logger: silentLogger,
      buildTag: '1.21.0:',
      pools: { lan: pool },
    });
    expect(client.members(true)).toEqual([]);
    await expect(client.join('127.0.0.1', true)).rejects.toThrow('Must be a server to join WAN cluster');
    await expect(client.forceLeave('s2.dc1', { prune: false, wan: true })).rejects.toThrow('Must be a server to force-leave a node');
  });
});
