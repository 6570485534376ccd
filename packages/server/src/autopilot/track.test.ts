import { describe, expect, it } from 'vitest';
import { toState } from './state.ts';
import { END, observe, type TestServer } from './testing/observation.ts';
import { SAMPLE_MAX_AGE_MS, track } from './track.ts';

const LEADER: TestServer = { role: 'leader' };
const healthOf = (server: TestServer, nowMs = 0): boolean | undefined =>
  track([], observe({ a: LEADER, b: server }, nowMs, { MaxTrailingLogs: 100 })).find(({ id }) => id === 'b')?.isHealthy;

describe('health of a server (consul-facts O005)', () => {
  it.each<[string, TestServer, boolean]>([
    ['in touch, of the leader’s term and near its end', {}, true],
    ['just within the contact threshold', { stats: { lastContactMs: 200 } }, true],
    ['too long without the leader', { stats: { lastContactMs: 201 } }, false],
    ['never in touch with the leader', { stats: { lastContactMs: undefined } }, false],
    ['with a last entry of another term', { stats: { lastLogTerm: 2 } }, false],
    ['as far behind as it may be', { stats: { lastLogIndex: END.index - 100 } }, true],
    ['one entry further behind', { stats: { lastLogIndex: END.index - 101 } }, false],
    ['failed, although it was fine when it last answered', { status: 'failed', stats: {} }, false],
    ['unknown to the directory', { status: null, stats: {} }, false],
    ['silent', { stats: null }, false],
    ['with the log of another cluster', { clusterId: 'c2' }, false],
    ['not yet told which cluster it is in', { clusterId: '' }, true],
  ])('%s', (_name, server, isHealthy) => {
    expect(healthOf(server)).toBe(isHealthy);
  });

  it('needs an answer of the last three probes', () => {
    expect(healthOf({ takenMs: 0 }, SAMPLE_MAX_AGE_MS)).toBe(true);
    expect(healthOf({ takenMs: 0 }, SAMPLE_MAX_AGE_MS + 1)).toBe(false);
  });

  it('judges contact by two heartbeats at least, however strict the threshold', () => {
    const observation = observe({ a: LEADER, b: { stats: { lastContactMs: 1000 } }, c: { stats: { lastContactMs: 1001 } } });
    expect(track([], { ...observation, heartbeatMs: 500 }).map(({ isHealthy }) => isHealthy)).toEqual([true, true, false]);
  });

  it('is good on the leader, whatever else is said of it', () => {
    const [leader] = track([], observe({ a: { role: 'leader', status: 'failed', stats: null } }));
    expect(leader?.isHealthy).toBe(true);
  });

  it('cannot be told while the leader’s log is not known', () => {
    const observation = observe({ a: LEADER, b: {} });
    const samples = new Map([...observation.samples].map(([id, sample]) => [id, { ...sample, leaderEnd: undefined }]));
    expect(track([], { ...observation, samples }).map(({ isHealthy }) => isHealthy)).toEqual([true, false]);
  });
});

describe('stable time', () => {
  it('counts from the last change of health', () => {
    let tracked = track([], observe({ a: LEADER, b: {} }, 0));
    tracked = track(tracked, observe({ a: LEADER, b: {} }, 1000));
    expect(tracked[1]).toMatchObject({ isHealthy: true, stableSinceMs: 0, stableSinceWallMs: 1_000_000 });
    tracked = track(tracked, observe({ a: LEADER, b: { stats: { lastContactMs: 900 } } }, 2000));
    expect(tracked[1]).toMatchObject({ isHealthy: false, stableSinceMs: 2000, stableSinceWallMs: 1_002_000 });
    tracked = track(tracked, observe({ a: LEADER, b: {} }, 3000));
    expect(tracked[1]).toMatchObject({ isHealthy: true, stableSinceMs: 3000 });
  });

  it('is forgotten with the server', () => {
    let tracked = track([], observe({ a: LEADER, b: {} }, 0));
    tracked = track(tracked, observe({ a: LEADER }, 1000));
    tracked = track(tracked, observe({ a: LEADER, b: {} }, 2000));
    expect(tracked[1]?.stableSinceMs).toBe(2000);
  });
});

describe('the state of the group (consul-facts H136, H137)', () => {
  const stateOf = (servers: Readonly<Record<string, TestServer>>) => toState(track([], observe(servers)));

  it('tolerates as many failures as there are healthy voters beyond a quorum', () => {
    const silent: TestServer = { stats: null };
    const tolerances = [
      { a: LEADER },
      { a: LEADER, b: {} },
      { a: LEADER, b: {}, c: {} },
      { a: LEADER, b: {}, c: silent },
      { a: LEADER, b: silent, c: silent },
      { a: LEADER, b: {}, c: {}, d: {}, e: {} },
      { a: LEADER, b: {}, c: {}, d: {}, e: silent },
      { a: LEADER, b: {}, c: {}, d: { role: 'non-voter' as const } },
    ].map((servers) => stateOf(servers).FailureTolerance);
    expect(tolerances).toEqual([0, 0, 1, 0, 0, 2, 1, 1]);
  });

  it('is healthy when all are, those without a vote included', () => {
    expect(stateOf({ a: LEADER, b: { role: 'non-voter' } }).Healthy).toBe(true);
    expect(stateOf({ a: LEADER, b: { role: 'non-voter', stats: null } }).Healthy).toBe(false);
    expect(stateOf({}).Healthy).toBe(false);
  });

  it('names leader and voters, and shows each server', () => {
    const state = stateOf({ a: LEADER, b: { stats: { lastContactMs: 12.5 } }, c: { role: 'non-voter', stats: null }, d: { role: 'none' } });
    expect(state).toMatchObject({ Leader: 'a', Voters: ['a', 'b'], OptimisticFailureTolerance: state.FailureTolerance });
    const { a, b, c, d } = state.Servers;
    expect(a).toMatchObject({ ID: 'a', Name: 'node-a', Status: 'leader', NodeStatus: 'alive', LastContact: 0, Version: '1.21.0' });
    expect(b).toMatchObject({ Status: 'voter', LastContact: 12.5, LastTerm: 3, LastIndex: 1000, StableSince: 1_000_000 });
    expect(c).toMatchObject({ Status: 'non-voter', LastContact: -1, LastTerm: 0, LastIndex: 0, Healthy: false });
    expect(d).toMatchObject({ Status: 'none' });
  });

  it('shows a server that nobody knows, and none that is gone', () => {
    const { Servers } = stateOf({
      a: LEADER,
      b: { status: null },
      c: { role: 'none', status: 'left' },
      d: { role: 'none', status: 'failed' },
    });
    expect(Object.keys(Servers)).toEqual(['a', 'b']);
    expect(Servers['b']).toMatchObject({ NodeStatus: 'unknown', Address: 'b:1', Version: '', Healthy: false });
  });
});
