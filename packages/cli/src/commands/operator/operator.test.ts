import { afterEach, describe, expect, it } from 'vitest';
import { type Answer, type FakeAgent, startFakeAgent } from '../../testing/fake-agent.ts';
import { run } from '../../testing/run.ts';

// Answers as recorded: these tests show arguments and rendering.
let agent: FakeAgent;
afterEach(() => agent.close());

async function against(answers: Readonly<Record<string, Answer>>, commandLine: string): ReturnType<typeof run> {
  agent = await startFakeAgent(answers);
  return run(commandLine, { agent: agent.address });
}

const CONFIG = {
  CleanupDeadServers: true,
  LastContactThreshold: '200ms',
  MaxTrailingLogs: 250,
  MinQuorum: 0,
  ServerStabilizationTime: '10s',
  RedundancyZoneTag: '',
  DisableUpgradeMigration: false,
  UpgradeVersionTag: '',
  CreateIndex: 4,
  ModifyIndex: 9,
};
const STATE = {
  Healthy: true,
  FailureTolerance: 0,
  OptimisticFailureTolerance: 0,
  Servers: {
    '2e44': {
      ID: '2e44',
      Name: 'obs',
      Address: '127.0.0.1:8300',
      NodeStatus: 'alive',
      Version: '1.21.0',
      LastContact: '0s',
      LastTerm: 2,
      LastIndex: 39,
      Healthy: true,
      StableSince: '2026-11-21T05:49:35.264452132Z',
      ReadReplica: false,
      Status: 'leader',
      Meta: { 'consul-version': '1.21.0', 'consul-network-segment': '' },
      NodeType: 'voter',
    },
  },
  Leader: '2e44',
  Voters: ['2e44'],
};

describe('operator autopilot (observed: cli of 1.21)', () => {
  const path = '/v1/operator/autopilot/configuration';

  it('get-config', async () => {
    expect(await against({ [`GET ${path}`]: { body: CONFIG } }, 'operator autopilot get-config -stale')).toEqual({
      exitCode: 0,
      stdout:
        'CleanupDeadServers = true\nLastContactThreshold = 200ms\nMaxTrailingLogs = 250\nMinQuorum = 0\nServerStabilizationTime = 10s\nRedundancyZoneTag = ""\nDisableUpgradeMigration = false\nUpgradeVersionTag = ""\n',
      stderr: '',
    });
    expect(agent.requests).toEqual([`GET ${path}?stale=`]);
  });

  it('set-config changes what is given, of what it has read', async () => {
    const answers = { [`GET ${path}`]: { body: CONFIG }, [`PUT ${path}`]: { text: 'true' } };
    const line = 'operator autopilot set-config -cleanup-dead-servers=false -min-quorum=3 -last-contact-threshold=1500ms';
    expect(await against(answers, line)).toEqual({ exitCode: 0, stdout: 'Configuration updated!\n', stderr: '' });
    const sent = agent.requests[1] ?? '';
    expect(sent.startsWith(`PUT ${path}?cas=9 {`)).toBe(true);
    expect(JSON.parse(sent.slice(sent.indexOf('{')))).toEqual({
      ...CONFIG,
      CleanupDeadServers: false,
      MinQuorum: 3,
      LastContactThreshold: '1.5s',
    });
  });

  it('set-config says when somebody else was there first, or the agent refuses', async () => {
    const answers = { [`GET ${path}`]: { body: CONFIG }, [`PUT ${path}`]: { text: 'false' } };
    expect(await against(answers, 'operator autopilot set-config -max-trailing-logs=9')).toEqual({
      exitCode: 1,
      stdout: 'Configuration could not be atomically updated, please try again\n',
      stderr: '',
    });
    await agent.close();
    const refused = await against({ [`GET ${path}`]: { status: 403, text: 'Permission denied' } }, 'operator autopilot set-config');
    expect(refused).toMatchObject({
      exitCode: 1,
      stderr: 'Error querying Autopilot configuration: Unexpected response code: 403 (Permission denied)\n',
    });
  });

  it('state for people', async () => {
    expect((await against({ 'GET /v1/operator/autopilot/state': { body: STATE } }, 'operator autopilot state')).stdout).toBe(
      [
        'Healthy:                      true',
        'Failure Tolerance:            0',
        'Optimistic Failure Tolerance: 0',
        'Leader:                       2e44',
        'Voters:',
        '   2e44',
        'Servers:',
        '   2e44',
        '      Name:            obs',
        '      Address:         127.0.0.1:8300',
        '      Version:         1.21.0',
        '      Status:          leader',
        '      Node Type:       voter',
        '      Node Status:     alive',
        '      Healthy:         true',
        '      Last Contact:    0s',
        '      Last Term:       2',
        '      Last Index:      39',
        '      Meta',
        '         "consul-network-segment": ""',
        '         "consul-version": "1.21.0"',
        '',
        '',
      ].join('\n'),
    );
  });

  it('state for programs, and no other format', async () => {
    const answers = { 'GET /v1/operator/autopilot/state': { body: STATE } };
    expect((await against(answers, 'operator autopilot state -format=json')).stdout).toBe(`${JSON.stringify(STATE, undefined, 4)}\n`);
    const other = await run('operator autopilot state -format=xml', { agent: agent.address });
    expect(other).toEqual({ exitCode: 1, stdout: '', stderr: 'Unknown format: xml\n' });
  });

  it('health, whose exit code tells', async () => {
    const health = {
      Healthy: false,
      FailureTolerance: 0,
      Servers: [
        {
          ID: 'a',
          Name: 'one',
          Address: '127.0.0.1:8300',
          SerfStatus: 'failed',
          Version: '1.21.0',
          Leader: false,
          LastContact: '-1ns',
          LastTerm: 2,
          LastIndex: 7,
          Healthy: false,
          Voter: true,
          StableSince: '2026-11-21T05:49:11Z',
        },
      ],
    };
    const answers = { 'GET /v1/operator/autopilot/health': { status: 429, body: health } };
    const { exitCode, stdout } = await against(answers, 'operator autopilot health');
    expect(exitCode).toBe(2);
    expect(stdout).toBe(
      'Healthy:           false\nFailure Tolerance: 0\n\n' +
        'Node  ID  Address         Status  Healthy  Voter  Leader  Last Contact  Last Index  Stable Since\n' +
        'one   a   127.0.0.1:8300  failed  false    true   false   -1ns          7           2026-11-21T05:49:11Z\n',
    );
    const json = await run('operator autopilot health -format=json', { agent: agent.address });
    expect([json.exitCode, JSON.parse(json.stdout)]).toEqual([2, health]);
    await agent.close();
    const well = { 'GET /v1/operator/autopilot/health': { body: { ...health, Healthy: true } } };
    expect((await against(well, 'operator autopilot health')).exitCode).toBe(0);
  });
});

describe('operator raft (observed: cli of 1.21)', () => {
  const server = (ID: string, more: object): object => ({
    ID,
    Node: `n-${ID}`,
    Address: `127.0.0.1:${ID}`,
    Leader: false,
    ProtocolVersion: '3',
    Voter: true,
    LastIndex: 39,
    ...more,
  });

  it('list-peers tells how far each is behind', async () => {
    const Servers = [server('1', { Leader: true }), server('2', { LastIndex: 38 }), server('3', { Voter: false, LastIndex: 9 })];
    const { stdout } = await against(
      { 'GET /v1/operator/raft/configuration': { body: { Servers, Index: 0 } } },
      'operator raft list-peers',
    );
    expect(stdout).toBe(
      [
        'Node  ID  Address      State     Voter  RaftProtocol  Commit Index  Trails Leader By',
        'n-1   1   127.0.0.1:1  leader    true   3             39            -',
        'n-2   2   127.0.0.1:2  follower  true   3             38            1 commit',
        'n-3   3   127.0.0.1:3  follower  false  3             9             30 commits',
        '',
      ].join('\n'),
    );
  });

  it('remove-peer by id or address, and says what it lacks', async () => {
    const answers = { 'DELETE /v1/operator/raft/peer': {} };
    expect((await against(answers, 'operator raft remove-peer -id=x')).stdout).toBe('Removed peer with id "x"\n');
    const byAddress = await run('operator raft remove-peer -address=1.1.1.1:1', { agent: agent.address });
    expect(byAddress.stdout).toBe('Removed peer with address "1.1.1.1:1"\n');
    expect(agent.requests).toEqual(['DELETE /v1/operator/raft/peer?id=x', 'DELETE /v1/operator/raft/peer?address=1.1.1.1%3A1']);
    const neither = await run('operator raft remove-peer', { agent: agent.address });
    expect([neither.exitCode, neither.stderr]).toEqual([1, 'Error removing peer: an address or id is required for the peer to remove\n']);
    const both = await run('operator raft remove-peer -id=x -address=y', { agent: agent.address });
    expect([both.exitCode, both.stderr]).toEqual([1, 'Error removing peer: cannot give both an address and id\n']);
  });

  it('transfer-leader to anybody or one, and why not', async () => {
    const path = '/v1/operator/raft/transfer-leader';
    expect(await against({ [`POST ${path}`]: { body: { Success: true } } }, 'operator raft transfer-leader -id=b')).toEqual({
      exitCode: 0,
      stdout: 'Success\n',
      stderr: '',
    });
    expect(agent.requests).toEqual([`POST ${path}?id=b`]);
    await agent.close();
    const refused = await against({ [`POST ${path}`]: { status: 500, text: 'cannot find peer' } }, 'operator raft transfer-leader');
    expect(refused).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'Error transfering leadership: Failed to transfer leadership Unexpected response code: 500 (cannot find peer)\n',
    });
  });
});
