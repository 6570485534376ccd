import { FakeClock, MemoryLogger } from '@lictor/protocol/testing';
import { describe, expect, it } from 'vitest';
import type { AgentPool, PoolJoin } from '../contracts/index.ts';
import { retryJoin } from './retry-join.ts';

function setUp(answers: readonly PoolJoin[]) {
  const asked: (readonly string[])[] = [];
  const pool: AgentPool = {
    members: () => [],
    onChange: () => () => undefined,
    join: (addresses) => {
      asked.push(addresses);
      return Promise.resolve(answers[asked.length - 1] ?? NOBODY);
    },
    forceLeave: () => false,
    sendUserEvent: () => undefined,
    onUserEvent: () => () => undefined,
    coordinate: () => ({ Vec: [0.1], Error: 0.2, Adjustment: 0, Height: 0.001 }),
    stats: () => ({ members: 9, failed: 9, left: 9, health_score: 2, event_time: 5, encrypted: 1 }),
  };
  const [clock, logger, aborter] = [new FakeClock(), new MemoryLogger(), new AbortController()];
  const run = (addresses: readonly string[], max = 0): Promise<boolean> =>
    retryJoin({ addresses, intervalMs: 30_000, max }, { clock, logger, pool, defaultPort: 8301 }, aborter.signal);
  return { run, asked, clock, logger, aborter };
}

const NOBODY: PoolJoin = { joined: 0, failures: [{ address: '10.0.0.1:8301', error: new Error('connection refused') }] };
const ONE: PoolJoin = { joined: 1, failures: [] };

describe('retry_join (consul-facts T023)', () => {
  it('asks all of them at once, with the default port, until one has answered', async () => {
    const { run, asked, clock, logger } = setUp([NOBODY, NOBODY, ONE]);
    const joined = run(['10.0.0.1', '[::2]', '10.0.0.3:9000']);
    await clock.advance(0);
    expect(asked).toEqual([['10.0.0.1:8301', '[::2]:8301', '10.0.0.3:9000']]);
    await clock.advance(3000);
    expect(await joined).toBe(true);
    expect(asked).toHaveLength(3);
    expect(logger.lines.filter(({ message }) => message === 'Join cluster failed, will retry')).toMatchObject([
      { fields: { retry_interval: '1s', error: '10.0.0.1:8301: connection refused' } },
      { fields: { retry_interval: '2s' } },
    ]);
  });

  it('is tried soon at first, then once an interval', async () => {
    const { run, asked, clock, aborter } = setUp([]);
    void run(['a']);
    await clock.advance(31_000);
    expect(asked).toHaveLength(6);
    await clock.advance(60_000);
    expect(asked).toHaveLength(8);
    aborter.abort();
  });

  it('gives up after retry_max attempts', async () => {
    const { run, asked, clock } = setUp([]);
    const joined = run(['a'], 2);
    await clock.advance(30_000);
    expect(await joined).toBe(false);
    expect(asked).toHaveLength(2);
  });

  it('ends with the agent, and has nothing to do without addresses', async () => {
    const { run, aborter, clock } = setUp([]);
    expect(await run([])).toBe(true);
    const joined = run(['a']);
    await clock.advance(1000);
    aborter.abort();
    expect(await joined).toBe(true);
    expect(clock.pendingTimers).toBe(0);
  });

  it('looks up no address that asks a cloud, and tells nobody its credentials', async () => {
    const { run, asked, logger } = setUp([ONE, ONE]);
    expect(await run(['provider=aws secret_access_key=hunter2', '10.0.0.1'])).toBe(true);
    expect(await run(['provider=aws secret_access_key=hunter2'])).toBe(true);
    expect(asked).toEqual([['10.0.0.1:8301']]);
    expect(logger.lines.filter(({ message }) => message.includes('cloud provider'))).toHaveLength(2);
    expect(JSON.stringify(logger.lines)).not.toContain('hunter2');
  });
});
