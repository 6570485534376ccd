import { describe, expect, it } from 'vitest';
import { decideChanges, REMOVED_HOLD_MS } from './changes.ts';
import { decisionAfter, observe, type TestServer } from './testing/observation.ts';
import type { Change, Decision } from './types.ts';

const LEADER: TestServer = { role: 'leader' };
type Servers = Readonly<Record<string, TestServer>>;

const decide = (servers: Servers, more: Partial<Decision> = {}): readonly Change[] =>
  decideChanges(decisionAfter([observe(servers)], more));

describe('new servers', () => {
  it('come without a vote when the directory has them alive', () => {
    expect(decide({ a: LEADER, b: { role: 'none' } })).toEqual([{ kind: 'add', id: 'b', name: 'node-b', address: 'b:1' }]);
    expect(decide({ a: LEADER, b: { role: 'none', clusterId: '' } })).toMatchObject([{ kind: 'add', id: 'b' }]);
  });

  it.each<[string, TestServer]>([
    ['failed', { role: 'none', status: 'failed' }],
    ['left', { role: 'none', status: 'left' }],
    ['of another cluster', { role: 'none', clusterId: 'c2' }],
  ])('do not come when they are %s', (_name, server) => {
    expect(decide({ a: LEADER, b: server })).toEqual([]);
  });

  it('wait for their predecessor at the same address to go', () => {
    const newcomer: TestServer = { role: 'none', address: 'b:1' };
    expect(decide({ a: LEADER, b: {}, z: newcomer })).toEqual([]);
    const replaced = decide({ a: LEADER, b: { status: 'failed' }, c: {}, z: newcomer });
    expect(replaced).toMatchObject([
      { kind: 'remove', id: 'b', reason: 'replaced' },
      { kind: 'add', id: 'z', address: 'b:1' },
    ]);
  });

  it('replace a predecessor whatever min_quorum and cleanup_dead_servers say', () => {
    const servers: Servers = { a: LEADER, b: { status: 'failed' }, c: {}, z: { role: 'none', address: 'b:1' } };
    const decision = decisionAfter([observe(servers, 0, { MinQuorum: 3, CleanupDeadServers: false })]);
    expect(decideChanges(decision).map(({ kind }) => kind)).toEqual(['remove', 'add']);
  });

  it('stay out for a minute after an operator took them out', () => {
    const removedAtMs = new Map([['b', 0]]);
    const at = (nowMs: number) => decideChanges(decisionAfter([observe({ a: LEADER, b: { role: 'none' } }, nowMs)], { removedAtMs }));
    expect(at(REMOVED_HOLD_MS - 1)).toEqual([]);
    expect(at(REMOVED_HOLD_MS)).toMatchObject([{ kind: 'add' }]);
  });
});

describe('promotion', () => {
  const learner: TestServer = { role: 'non-voter' };
  const kinds = (times: readonly number[], last: TestServer = learner, more: Partial<Decision> = {}) => {
    const observations = times.map((nowMs, at) => observe({ a: LEADER, b: at === times.length - 1 ? last : learner }, nowMs));
    return decideChanges(decisionAfter(observations, more)).map(({ kind }) => kind);
  };

  it('comes after the server has been healthy for the stabilisation time', () => {
    expect(kinds([0, 9999])).toEqual([]);
    expect(kinds([0, 10_000])).toEqual(['promote']);
  });

  it('does not come to one that is not healthy, however long it is there', () => {
    expect(kinds([0, 10_000], { ...learner, stats: null })).toEqual([]);
    const sick = { ...learner, stats: { lastContactMs: 900 } };
    const observations = [0, 10_000, 20_000].map((nowMs) => observe({ a: LEADER, b: sick }, nowMs));
    expect(decideChanges(decisionAfter(observations))).toEqual([]);
  });

  it('does not wait while autopilot has not been there for so long itself', () => {
    expect(kinds([0, 1000], learner, { watchingSinceMs: 0 })).toEqual(['promote']);
    expect(kinds([11_000, 11_001], learner, { watchingSinceMs: 0 })).toEqual([]);
  });

  it('has nothing to do for voters', () => {
    expect(kinds([0, 60_000], { role: 'voter' })).toEqual([]);
  });
});

describe('a server that came back at another address', () => {
  it('is told to Raft, and keeps its vote or goes on without one', () => {
    const changes = decide({
      a: LEADER,
      b: { address: 'b:2', raftAddress: 'b:1' },
      c: { role: 'non-voter', address: 'c:2', raftAddress: 'c:1', stats: null },
    });
    expect(changes).toEqual([
      { kind: 'move', id: 'b', name: 'node-b', address: 'b:2', isVoter: true },
      { kind: 'move', id: 'c', name: 'node-c', address: 'c:2', isVoter: false },
    ]);
  });

  it('is left alone while it is not alive', () => {
    const decision = decisionAfter([observe({ a: LEADER, b: { address: 'b:2', raftAddress: 'b:1', status: 'failed' } })]);
    expect(decideChanges(decision)).toEqual([]);
  });
});
