import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { removals, UNKNOWN_GRACE_MS } from './removals.ts';
import { decisionAfter, observe, type TestServer } from './testing/observation.ts';

const LEADER: TestServer = { role: 'leader' };
const DEAD: TestServer = { status: 'failed' };
type Servers = Readonly<Record<string, TestServer>>;

const removed = (servers: Servers, config: Parameters<typeof observe>[2] = {}): string[] =>
  removals(decisionAfter([observe(servers, 0, config)])).map(({ id, reason }) => `${id} ${reason}`);

describe('dead servers (consul-facts O005)', () => {
  it('go while fewer than half of the voters go', () => {
    expect(removed({ a: LEADER, b: {}, c: DEAD })).toEqual(['c failed']);
    expect(removed({ a: LEADER, b: DEAD })).toEqual([]);
    expect(removed({ a: LEADER, b: {}, c: DEAD, d: DEAD })).toEqual(['c failed']);
    expect(removed({ a: LEADER, b: {}, c: {}, d: DEAD, e: DEAD })).toEqual(['d failed', 'e failed']);
    expect(removed({ a: LEADER, b: {}, c: DEAD, d: DEAD, e: DEAD })).toEqual(['c failed', 'd failed']);
  });

  it('stay where the operator wants that', () => {
    expect(removed({ a: LEADER, b: {}, c: DEAD }, { CleanupDeadServers: false })).toEqual([]);
  });

  it('stay while fewer voters than min_quorum would be left', () => {
    expect(removed({ a: LEADER, b: {}, c: DEAD }, { MinQuorum: 3 })).toEqual([]);
    expect(removed({ a: LEADER, b: {}, c: DEAD, d: {} }, { MinQuorum: 3 })).toEqual(['c failed']);
    expect(removed({ a: LEADER, b: {}, c: DEAD, d: { role: 'non-voter' } }, { MinQuorum: 3 })).toEqual([]);
  });

  it('without a vote always go, and before the others', () => {
    expect(removed({ a: LEADER, b: DEAD, c: { role: 'non-voter', ...DEAD } }, { MinQuorum: 5 })).toEqual(['c failed']);
    expect(removed({ a: LEADER, b: DEAD, c: {}, d: { role: 'non-voter', ...DEAD } })).toEqual(['d failed', 'b failed']);
  });

  it('are not those who answer', () => {
    expect(removed({ a: LEADER, b: {}, c: { status: 'failed', stats: {} } })).toEqual([]);
    expect(removed({ a: LEADER, b: {}, c: { stats: null } })).toEqual([]);
  });

  it('are never this server', () => {
    expect(removed({ a: { role: 'leader', status: 'left' }, b: {}, c: {} })).toEqual([]);
    expect(removed({ a: { role: 'voter', status: 'failed', stats: null }, b: LEADER, c: {} })).toEqual([]);
  });
});

describe('servers that left', () => {
  it('go at once, whatever else is configured', () => {
    const strict = { CleanupDeadServers: false, MinQuorum: 5 };
    expect(removed({ a: LEADER, b: { status: 'left' }, c: { status: 'left', stats: {} } }, strict)).toEqual(['b left', 'c left']);
  });

  it('do not count among those of whom fewer than half may go', () => {
    expect(removed({ a: LEADER, b: { status: 'left' }, c: DEAD })).toEqual(['b left']);
  });
});

describe('servers that nobody knows', () => {
  it('go after a grace, which the directory needs to fill after a start', () => {
    const servers: Servers = { a: LEADER, b: {}, c: { status: null } };
    const after = (...times: number[]) => removals(decisionAfter(times.map((nowMs) => observe(servers, nowMs))));
    expect(after(0, UNKNOWN_GRACE_MS - 1)).toEqual([]);
    expect(after(0, UNKNOWN_GRACE_MS)).toMatchObject([{ id: 'c', reason: 'unknown' }]);
  });

  it('stay while they answer', () => {
    const servers: Servers = { a: LEADER, b: {}, c: { status: null, stats: {} } };
    expect(removals(decisionAfter([observe(servers, 0), observe(servers, 2 * UNKNOWN_GRACE_MS)]))).toEqual([]);
  });
});

describe('servers that came back with the log of another cluster', () => {
  const foreign: TestServer = { clusterId: 'c2' };

  it('go like dead ones, though they answer', () => {
    expect(removed({ a: LEADER, b: {}, c: foreign })).toEqual(['c foreign']);
    expect(removed({ a: LEADER, b: { role: 'non-voter', ...foreign } })).toEqual(['b foreign']);
    expect(removed({ a: LEADER, b: foreign })).toEqual([]);
    expect(removed({ a: LEADER, b: {}, c: foreign }, { CleanupDeadServers: false })).toEqual([]);
    expect(removed({ a: LEADER, b: {}, c: { clusterId: '' } })).toEqual([]);
  });
});

describe('any group of servers', () => {
  const server = fc.record({
    role: fc.constantFrom<'voter' | 'non-voter'>('voter', 'non-voter'),
    status: fc.constantFrom<TestServer['status']>('alive', 'failed', 'left', null),
  });

  it('keeps more than half of the voters that did not leave, and at least min_quorum of them', () => {
    fc.assert(
      fc.property(fc.array(server, { maxLength: 9 }), fc.nat(5), (others, minQuorum) => {
        const servers: Servers = { a: LEADER, ...Object.fromEntries(others.map((each, at) => [`s${at}`, each])) };
        const observations = [0, UNKNOWN_GRACE_MS].map((nowMs) => observe(servers, nowMs, { MinQuorum: minQuorum }));
        const gone = removals(decisionAfter(observations));
        const voters = ['a', ...others.flatMap(({ role, status }, at) => (role === 'voter' && status !== 'left' ? [`s${at}`] : []))];
        const dead = gone.filter(({ id, reason }) => reason !== 'left' && voters.includes(id));
        expect(dead.length * 2).toBeLessThan(voters.length);
        if (dead.length > 0) expect(voters.length - dead.length).toBeGreaterThanOrEqual(minQuorum);
        expect(gone.every(({ id }) => servers[id]?.status !== 'alive')).toBe(true);
      }),
    );
  });
});
