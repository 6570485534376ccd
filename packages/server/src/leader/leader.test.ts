import { LictorError, silentMetrics } from '@lictor/protocol';
import { FakeClock, MemoryLogger } from '@lictor/protocol/testing';
import { describe, expect, it } from 'vitest';
import { loneDirectory } from '../cluster/lone.ts';
import { nodesOfServers } from '../cluster/nodes-of-servers.ts';
import { selfRecord } from '../cluster/self.ts';
import { createServerConfig } from '../config.ts';
import { sessionsTable } from '../state/tables/sessions.ts';
import { createScriptedConsensus } from '../testing/consensus.ts';
import { createTestStore } from '../testing/index.ts';
import { createLeader, type LeaderDuty } from './index.ts';
import { RetriedStep } from './retried-step.ts';
import { SessionTtl } from './session-ttl.ts';
import { TombstoneGc } from './tombstone-gc.ts';

const CONFIG = createServerConfig({ nodeId: 'id' });

function setUp() {
  const clock = new FakeClock();
  const logger = new MemoryLogger();
  const test = createTestStore();
  const consensus = createScriptedConsensus((command) => test.apply(command.type, command.body, command.timeMs));
  const nodes = nodesOfServers(loneDirectory(selfRecord(CONFIG, clock)));
  return { clock, logger, metrics: silentMetrics, store: test.store, consensus, nodes, test };
}

const SESSION = {
  ID: 's',
  Name: '',
  Node: 'n',
  LockDelay: 0,
  Behavior: 'release' as const,
  TTL: '10s',
  NodeChecks: [],
  ServiceChecks: [],
  CreateIndex: 0,
  ModifyIndex: 0,
};

describe('the leader’s duties', () => {
  it('are taken up in order when leadership is gained, laid down when it is lost, and leave no timer', async () => {
    const ports = setUp();
    const log: string[] = [];
    const duty: LeaderDuty = { start: () => void log.push('start'), stop: () => void log.push('stop') };
    const leader = createLeader(CONFIG, ports, [duty]);
    ports.consensus.lead(true);
    await leader.established();
    expect(log).toEqual(['start']);
    expect(ports.clock.pendingTimers).toBeGreaterThan(0);
    ports.consensus.lead(false);
    expect(log).toEqual(['start', 'stop']);
    expect(ports.clock.pendingTimers).toBe(0);
    leader.stop();
    ports.consensus.lead(true);
    expect(log).toEqual(['start', 'stop', 'stop']);
  });

  it('that were overtaken by a lost leadership are not taken up after it', async () => {
    const ports = setUp();
    const log: string[] = [];
    let release = (): void => undefined;
    const slow: LeaderDuty = { start: () => new Promise((resolve) => (release = resolve)), stop: () => undefined };
    const next: LeaderDuty = { start: () => void log.push('start'), stop: () => undefined };
    const leader = createLeader(CONFIG, ports, [slow, next]);
    ports.consensus.lead(true);
    const overtaken = leader.established();
    await ports.clock.advance(0);
    ports.consensus.lead(false);
    release();
    await overtaken;
    expect(log).toEqual([]);
    leader.stop();
  });

  it('that fail do not keep the next from starting', async () => {
    const ports = setUp();
    const log: string[] = [];
    const broken: LeaderDuty = { start: () => Promise.reject(new Error('broken')), stop: () => undefined };
    const leader = createLeader(CONFIG, ports, [broken, { start: () => void log.push('start'), stop: () => undefined }]);
    ports.consensus.lead(true);
    await leader.established();
    expect(log).toEqual(['start']);
    expect(ports.logger.lines.some((line) => line.level === 'error')).toBe(true);
    leader.stop();
  });
});

describe('RetriedStep', () => {
  it('tries again every five seconds until it succeeds, and never after it was stopped', async () => {
    const { clock, logger } = setUp();
    let attempts = 0;
    const step = new RetriedStep('a step', () => (++attempts < 3 ? Promise.reject(new Error('no')) : Promise.resolve()), { clock, logger });
    await step.start();
    await clock.advance(5000);
    expect(attempts).toBe(2);
    await clock.advance(60_000);
    expect(attempts).toBe(3);
    attempts = 0;
    step.stop();
    await step.start();
    step.stop();
    await clock.advance(60_000);
    expect(attempts).toBe(1);
  });
});

describe('SessionTtl (consul-facts T010)', () => {
  it('tries six times to end a session, after 10, 20, 40, 80 and 160 s', async () => {
    const ports = setUp();
    ports.test.write((txn) => txn.put(sessionsTable, SESSION));
    const ttl = new SessionTtl(ports);
    ports.consensus.failWith = new Error('no leader');
    ttl.start();
    const attempts: number[] = [];
    for (const waitMs of [20_000, 10_000, 20_000, 40_000, 80_000, 160_000, 3600_000]) {
      await ports.clock.advance(waitMs - 1);
      const before = ports.consensus.proposals.length;
      await ports.clock.advance(1);
      attempts.push(ports.consensus.proposals.length - before);
    }
    expect(attempts).toEqual([1, 1, 1, 1, 1, 1, 0]);
    ttl.stop();
    expect(ports.clock.pendingTimers).toBe(0);
  });

  it('takes no renewal once the end is on its way through the log, and again when that has failed', async () => {
    const ports = setUp();
    ports.test.write((txn) => txn.put(sessionsTable, SESSION));
    let settle = (): void => undefined;
    const propose = (): Promise<never> =>
      new Promise((_resolve, reject) => (settle = () => reject(new LictorError('outcome-unknown', 'leadership was lost'))));
    const ttl = new SessionTtl({ ...ports, consensus: { ...ports.consensus, propose } });
    ttl.start();
    expect(ttl.isExpiring('s')).toBe(false);
    await ports.clock.advance(20_000);
    expect(ttl.isExpiring('s')).toBe(true);
    settle();
    await ports.clock.advance(0);
    expect(ttl.isExpiring('s')).toBe(false);
    ttl.stop();
  });

  it('ignores renewals while another server leads', () => {
    const ports = setUp();
    const ttl = new SessionTtl(ports);
    ttl.touch('s', '10s');
    expect(ttl.active).toBe(0);
  });

  it('counts from the start of leadership for sessions that were there', async () => {
    const ports = setUp();
    ports.test.write((txn) => txn.put(sessionsTable, SESSION));
    const ttl = new SessionTtl(ports);
    ttl.start();
    expect(ttl.active).toBe(1);
    await ports.clock.advance(20_000);
    expect(ports.store.reader().peek(sessionsTable, 's')).toBeUndefined();
    ttl.stop();
  });
});

describe('TombstoneGc (consul-facts O008)', () => {
  it('reaps what is older than the TTL, nothing younger, and proposes nothing when there is nothing', async () => {
    const ports = setUp();
    const gc = new TombstoneGc({ ttlMs: 60_000, granularityMs: 10_000 }, ports);
    gc.start();
    await ports.clock.advance(300_000);
    expect(ports.consensus.proposals).toEqual([]);
    const removeOne = (): void => {
      ports.test.write((txn) => txn.put(sessionsTable, SESSION));
      ports.test.write((txn) => txn.remove(sessionsTable, 's'));
      ports.test.write((txn) => txn.put(sessionsTable, { ...SESSION, ID: `${txn.index}` }));
      ports.test.write((txn) => txn.remove(sessionsTable, `${txn.index - 1}`));
    };
    removeOne();
    await ports.clock.advance(40_000);
    removeOne();
    expect(ports.store.tombstoneCount).toBe(3);
    await ports.clock.advance(40_000);
    expect(ports.store.tombstoneCount).toBe(2);
    await ports.clock.advance(60_000);
    expect(ports.store.tombstoneCount).toBe(0);
    gc.stop();
    expect(ports.clock.pendingTimers).toBe(0);
  });
});
