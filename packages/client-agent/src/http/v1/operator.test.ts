import { DEFAULT_AUTOPILOT, type AutopilotState, LictorError } from '@lictor/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../../testing/http.ts';
import { type FakeHandlers, readReply, writeReply } from '../../testing/server-port.ts';

const open: TestApi[] = [];
afterEach(async () => {
  for (const api of open.splice(0)) await api.close();
});

async function start(handlers: FakeHandlers): Promise<TestApi> {
  const api = await startTestApi({}, { devMode: false });
  api.server.handlers = handlers;
  open.push(api);
  return api;
}

async function answer(api: TestApi, method: string, path: string, body?: string): Promise<[number, string]> {
  const response = await api.request(path, { method, ...(body === undefined ? {} : { body }) });
  return [response.status, await response.text()];
}

const STATE: AutopilotState = {
  Healthy: true,
  FailureTolerance: 0,
  OptimisticFailureTolerance: 0,
  Servers: {
    b: {
      ID: 'b',
      Name: 'two',
      Address: '127.0.0.1:8400',
      NodeStatus: 'unknown',
      Version: '',
      LastContact: -1,
      LastTerm: 0,
      LastIndex: 0,
      Healthy: false,
      StableSince: Date.parse('2026-11-21T05:49:10Z'),
      Status: 'non-voter',
      Meta: null,
    },
    a: {
      ID: 'a',
      Name: 'obs',
      Address: '127.0.0.1:8300',
      NodeStatus: 'alive',
      Version: '1.21.0',
      LastContact: 0,
      LastTerm: 2,
      LastIndex: 91,
      Healthy: true,
      StableSince: Date.parse('2026-11-21T05:49:11.108Z'),
      Status: 'leader',
      Meta: { 'consul-version': '1.21.0' },
    },
  },
  Leader: 'a',
  Voters: ['a'],
};

describe('/v1/operator/raft (observed)', () => {
  it.each([
    ['/v1/operator/raft/peer', "Must specify either ?id with the server's ID or ?address with IP:port of peer to remove"],
    ['/v1/operator/raft/peer?id=a&address=b', 'Must specify only one of ?id or ?address'],
  ])('DELETE %s is refused', async (path, text) => {
    expect(await answer(await start({}), 'DELETE', path)).toEqual([400, text]);
  });

  it('asks the servers to remove and to transfer', async () => {
    const api = await start({
      'Operator.RaftRemovePeer': () => writeReply(undefined),
      'Operator.RaftTransferLeader': () => writeReply(undefined),
    });
    expect(await answer(api, 'DELETE', '/v1/operator/raft/peer?id=')).toEqual([200, '']);
    expect(await answer(api, 'DELETE', '/v1/operator/raft/peer?address=1.1.1.1:1')).toEqual([200, '']);
    expect(await answer(api, 'POST', '/v1/operator/raft/transfer-leader')).toEqual([200, '{"Success":true}']);
    await answer(api, 'POST', '/v1/operator/raft/transfer-leader?id=b');
    expect(api.server.calls.map(({ request }) => request)).toEqual([{ id: '' }, { address: '1.1.1.1:1' }, { id: '' }, { id: 'b' }]);
  });

  it('passes on why the servers refuse', async () => {
    const api = await start({
      'Operator.RaftTransferLeader': () => {
        throw new LictorError('rejected', 'cannot find peer');
      },
    });
    expect(await answer(api, 'POST', '/v1/operator/raft/transfer-leader')).toEqual([500, 'cannot find peer']);
  });
});

describe('/v1/operator/autopilot/configuration (observed)', () => {
  const path = '/v1/operator/autopilot/configuration';

  it('shows durations as text', async () => {
    const value = { ...DEFAULT_AUTOPILOT, CreateIndex: 4, ModifyIndex: 4 };
    const api = await start({ 'Operator.AutopilotGetConfiguration': () => readReply(value) });
    expect(await answer(api, 'GET', path)).toEqual([
      200,
      '{"CleanupDeadServers":true,"LastContactThreshold":"200ms","MaxTrailingLogs":250,"MinQuorum":0,"ServerStabilizationTime":"10s","RedundancyZoneTag":"","DisableUpgradeMigration":false,"UpgradeVersionTag":"","CreateIndex":4,"ModifyIndex":4}',
    ]);
  });

  it('takes durations as text or nanoseconds, and defaults for what is not sent', async () => {
    const api = await start({ 'Operator.AutopilotSetConfiguration': () => writeReply(true) });
    const body = '{"CleanupDeadServers":false,"LastContactThreshold":"300ms","ServerStabilizationTime":2000000000,"ModifyIndex":9}';
    expect(await answer(api, 'PUT', path, body)).toEqual([200, 'true']);
    const config = { ...DEFAULT_AUTOPILOT, CleanupDeadServers: false, LastContactThreshold: 300, ServerStabilizationTime: 2000 };
    expect(api.server.calls[0]?.request).toEqual({ config });
  });

  it('says whether a check-and-set held, and true otherwise', async () => {
    const api = await start({ 'Operator.AutopilotSetConfiguration': () => writeReply(false) });
    expect(await answer(api, 'PUT', `${path}?cas=1`, '{}')).toEqual([200, 'false']);
    expect(await answer(api, 'PUT', path, '{}')).toEqual([200, 'true']);
    expect(api.server.calls[0]?.request).toEqual({ config: DEFAULT_AUTOPILOT, cas: 1 });
  });

  it.each([
    [path, '{', 'Error parsing autopilot config: unexpected EOF'],
    [path, '{"Bogus":1}', 'Error parsing autopilot config: json: unknown field "Bogus"'],
    [path, '{"LastContactThreshold":"soon"}', 'Error parsing autopilot config: time: invalid duration "soon"'],
    [`${path}?cas=x`, '{}', 'Error parsing cas value: strconv.ParseUint: parsing "x": invalid syntax'],
  ])('PUT %s %s is refused', async (target, body, text) => {
    expect(await answer(await start({}), 'PUT', target, body)).toEqual([400, text]);
  });
});

describe('/v1/operator/autopilot/health and state (observed)', () => {
  it('give the servers in order, with Go’s durations and times', async () => {
    const api = await start({ 'Operator.AutopilotState': () => readReply(STATE) });
    expect(JSON.parse((await answer(api, 'GET', '/v1/operator/autopilot/health'))[1])).toEqual({
      Healthy: true,
      FailureTolerance: 0,
      Servers: [
        {
          ID: 'a',
          Name: 'obs',
          Address: '127.0.0.1:8300',
          SerfStatus: 'alive',
          Version: '1.21.0',
          Leader: true,
          LastContact: '0s',
          LastTerm: 2,
          LastIndex: 91,
          Healthy: true,
          Voter: true,
          StableSince: '2026-11-21T05:49:11Z',
        },
        expect.objectContaining({ ID: 'b', SerfStatus: 'none', LastContact: '-1ns', Voter: false, StableSince: '2026-11-21T05:49:10Z' }),
      ],
    });
    const [status, text] = await answer(api, 'GET', '/v1/operator/autopilot/state');
    const state = JSON.parse(text) as { Servers: Record<string, object> };
    expect([status, Object.keys(state.Servers)]).toEqual([200, ['a', 'b']]);
    expect(JSON.stringify(state.Servers['a'])).toBe(
      '{"ID":"a","Name":"obs","Address":"127.0.0.1:8300","NodeStatus":"alive","Version":"1.21.0","LastContact":"0s","LastTerm":2,"LastIndex":91,"Healthy":true,"StableSince":"2026-11-21T05:49:11.108Z","ReadReplica":false,"Status":"leader","Meta":{"consul-version":"1.21.0"},"NodeType":"voter"}',
    );
  });

  it('health is 429 when something is wrong, state is not', async () => {
    const api = await start({ 'Operator.AutopilotState': () => readReply({ ...STATE, Healthy: false }) });
    expect((await answer(api, 'GET', '/v1/operator/autopilot/health'))[0]).toBe(429);
    expect((await answer(api, 'GET', '/v1/operator/autopilot/state'))[0]).toBe(200);
  });
});
