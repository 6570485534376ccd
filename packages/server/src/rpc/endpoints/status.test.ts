import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_AUTOPILOT, LictorError, Secret } from '@lictor/protocol';
import { createTestServer, type TestServer } from '../../testing/index.ts';

let server: TestServer;

beforeEach(async () => {
  const resolveToken = (): never => {
    throw new LictorError('permission-denied', 'ACL not found');
  };
  server = await createTestServer({}, { resolveToken });
});

afterEach(() => server.stop());

describe('status', () => {
  it('names the leader and the peers, to an unknown token too (observed)', async () => {
    const token = new Secret('deadbeef-0000-0000-0000-000000000000');
    expect((await server.port.call('Status.Leader', {}, { token })).value).toBe('127.0.0.1:8300');
    expect((await server.port.call('Status.Peers', {}, { token })).value).toEqual(['127.0.0.1:8300']);
    await expect(server.port.call('Operator.RaftGetConfiguration', {}, { token })).rejects.toThrow('ACL not found');
  });

  it('names no leader when there is none, and other reads say so', async () => {
    await server.consensus.stop();
    expect((await server.port.call('Status.Leader', {})).value).toBe('');
  });
});

describe('operator', () => {
  it('shows a healthy server by itself, which can neither go nor hand over (observed)', async () => {
    const own = await createTestServer();
    const id = '00000000-0000-0000-0000-000000000001';
    const { value } = await own.port.call('Operator.AutopilotState', {});
    expect(value).toMatchObject({ Healthy: true, FailureTolerance: 0, OptimisticFailureTolerance: 0, Leader: id, Voters: [id] });
    expect(value.Servers[id]).toMatchObject({ Name: 'server', Status: 'leader', NodeStatus: 'alive', Healthy: true, LastContact: 0 });
    expect((await own.port.call('Operator.AutopilotGetConfiguration', {})).value).toMatchObject(DEFAULT_AUTOPILOT);
    expect((await own.port.call('Status.RaftStats', {})).value).toMatchObject({ state: 'Leader', numPeers: 0, lastContactMs: 0 });
    await expect(own.port.call('Operator.RaftTransferLeader', { id: '' })).rejects.toThrow('cannot find peer');
    await expect(own.port.call('Operator.RaftRemovePeer', { id })).rejects.toMatchObject({ code: 'rejected' });
    await own.stop();
  });

  it('shows one voter that leads, and what the catalog holds', async () => {
    const own = await createTestServer();
    expect((await own.port.call('Operator.RaftGetConfiguration', {})).value).toMatchObject({
      Servers: [{ Node: 'server', Address: '127.0.0.1:8300', Leader: true, ProtocolVersion: '3', Voter: true }],
      Index: 0,
    });
    expect((await own.port.call('Operator.Usage', {})).value).toEqual({
      Nodes: 1,
      Services: 1,
      ServiceInstances: 1,
      ConnectServiceInstances: {
        'api-gateway': 0,
        'connect-native': 0,
        'connect-proxy': 0,
        'ingress-gateway': 0,
        'mesh-gateway': 0,
        'terminating-gateway': 0,
      },
      BillableServiceInstances: 0,
    });
    await own.stop();
  });
});
