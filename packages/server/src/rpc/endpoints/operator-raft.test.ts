import { allowAll, type Authorizer } from '@lictor/mesh';
import { type AutopilotState, type RaftConfiguration, silentLogger, silentMetrics } from '@lictor/protocol';
import { FakeClock, seededRandom } from '@lictor/protocol/testing';
import { describe, expect, it } from 'vitest';
import type { Autopilot } from '../../autopilot/index.ts';
import { decisionAfter, observe } from '../../autopilot/testing/observation.ts';
import { toState } from '../../autopilot/state.ts';
import type { Consensus } from '../../consensus/port.ts';
import { createScriptedConsensus } from '../../testing/consensus.ts';
import type { LiveContext } from '../types.ts';
import { createOperatorRaftLive, createOperatorRaftWrites } from './operator-raft.ts';

const denied: Authorizer = { ...allowAll, accessorId: 'x', allows: (_resource, _segment, access) => access === 'read' };

function setUp(configuration: RaftConfiguration['Servers'] = observe({ a: { role: 'leader' }, b: {}, c: { role: 'non-voter' } }).raft) {
  const calls: string[] = [];
  const removed: string[] = [];
  const consensus: Consensus = {
    ...createScriptedConsensus(),
    configuration: () => ({ Servers: configuration, Index: 0 }),
    removeServer: async (id) => void calls.push(`remove ${id}`),
    transferLeadership: async (id) => void calls.push(`transfer ${id ?? 'any'}`),
  };
  const state: AutopilotState = toState(
    decisionAfter([observe({ a: { role: 'leader' }, b: { stats: { lastLogIndex: 40 } }, c: { status: null } })]).tracked,
  );
  const autopilot: Autopilot = {
    start: () => undefined,
    stop: () => undefined,
    watch: () => undefined,
    close: () => undefined,
    state: () => state,
    noteRemoved: (id) => void removed.push(id),
  };
  const writes = createOperatorRaftWrites(consensus, autopilot);
  const live = createOperatorRaftLive(consensus, autopilot);
  const context = (authorizer: Authorizer): LiveContext => ({
    options: {},
    noteFiltered: () => undefined,
    authorizer,
    datacenter: 'dc1',
    clock: new FakeClock(),
    random: seededRandom(1),
    logger: silentLogger,
    metrics: silentMetrics,
    reader: () => {
      throw new Error('not needed');
    },
    propose: () => Promise.reject(new Error('not needed')),
  });
  return {
    calls,
    removed,
    remove: (request: { id?: string; address?: string }, authorizer = allowAll) =>
      writes['Operator.RaftRemovePeer'](request, context(authorizer)),
    transfer: (id: string, authorizer = allowAll) => writes['Operator.RaftTransferLeader']({ id }, context(authorizer)),
    configuration: async () => (await live['Operator.RaftGetConfiguration']({}, context(allowAll))).value.Servers,
  };
}

describe('Operator.RaftRemovePeer (consul-facts H128)', () => {
  it('removes by id and by address, and tells autopilot not to bring it back at once', async () => {
    const { remove, calls, removed } = setUp();
    await remove({ id: 'b' });
    await remove({ address: 'c:1' });
    expect(calls).toEqual(['remove b', 'remove c']);
    expect(removed).toEqual(['b', 'c']);
  });

  it('refuses servers that are not there, in Consul’s words (observed)', async () => {
    const { remove, calls } = setUp();
    await expect(remove({ id: 'nope' })).rejects.toThrow('id "nope" was not found in the Raft configuration');
    await expect(remove({ address: '1.1.1.1:1' })).rejects.toThrow('address "1.1.1.1:1" was not found in the Raft configuration');
    expect(calls).toEqual([]);
  });

  it('needs operator:write', async () => {
    const { remove, calls } = setUp();
    await expect(remove({ id: 'b' }, denied)).rejects.toThrow("lacks permission 'operator:write'");
    expect(calls).toEqual([]);
  });
});

describe('Operator.RaftTransferLeader (consul-facts H129)', () => {
  it('goes to the server named, or to any', async () => {
    const { transfer, calls } = setUp();
    await transfer('b');
    await transfer('');
    expect(calls).toEqual(['transfer b', 'transfer any']);
  });

  it('needs somebody who can take over (observed)', async () => {
    const { transfer, calls } = setUp();
    await expect(transfer('nope')).rejects.toThrow('Could not find address for server id nope');
    await expect(transfer('a')).rejects.toThrow('cannot transfer leadership to itself');
    await expect(transfer('c')).rejects.toThrow('which has no vote');
    await expect(setUp(observe({ a: { role: 'leader' } }).raft).transfer('')).rejects.toThrow('cannot find peer');
    expect(calls).toEqual([]);
  });

  it('needs operator:write', async () => {
    await expect(setUp().transfer('b', denied)).rejects.toThrow("lacks permission 'operator:write'");
  });
});

describe('Operator.RaftGetConfiguration (consul-facts H127)', () => {
  it('says what autopilot saw where Raft itself does not know, and who is unknown', async () => {
    const [a, b, c] = await setUp().configuration();
    expect(a).toMatchObject({ Node: 'node-a', Leader: true, ProtocolVersion: '3' });
    expect(b).toMatchObject({ Node: 'node-b', LastIndex: 40 });
    expect(c).toMatchObject({ Node: '(unknown)', ProtocolVersion: 'unknown', Voter: false });
  });
});
