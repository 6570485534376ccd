import type { AgentPool } from '@lictor/client-agent';
import { FakeClock, MemoryLogger, seededRandom } from '@lictor/protocol/testing';
import { describe, expect, it } from 'vitest';
import { rejoin } from './rejoin.ts';

function setUp(known: number, answers: (address: string) => boolean) {
  const asked: (readonly string[])[] = [];
  const clock = new FakeClock();
  const logger = new MemoryLogger();
  const aborter = new AbortController();
  let company = 0;
  const pool: Pick<AgentPool, 'members' | 'join'> = {
    members: () =>
      Array.from({ length: 1 + company }, (_, number) => ({ name: `m${number}`, address: '', tags: {}, status: 'alive' as const })),
    join: async (addresses) => {
      asked.push(addresses);
      return { joined: addresses.filter(answers).length, failures: [] };
    },
  };
  const members = new Map(Array.from({ length: known }, (_, number) => [`n${number}`, `10.0.0.${number}:8301`]));
  let isOver = false;
  const run = rejoin({ members, hasLeft: false }, { clock, random: seededRandom(3), logger, pool: pool as AgentPool }, aborter.signal).then(
    () => (isOver = true),
  );
  return { asked, clock, aborter, run, isOver: () => isOver, join: () => (company = 1) };
}

describe('going back to members of before', () => {
  it('asks some at once, and others until one answers', async () => {
    const { asked, run } = setUp(20, (address) => address === '10.0.0.5:8301');
    await run;
    expect(asked.flat()).toContain('10.0.0.5:8301');
    expect(asked.every((some) => some.length <= 8)).toBe(true);
    expect(new Set(asked.flat()).size).toBe(asked.flat().length);
  });

  it('goes on until this agent is not alone any more, ever more seldom', async () => {
    const { asked, clock, isOver, join } = setUp(1, () => false);
    const atS: number[] = [];
    for (let second = 0; second < 1200; second++) {
      const before = asked.length;
      await clock.advance(1000);
      if (asked.length > before) atS.push(second + 1);
    }
    expect([asked.length, atS]).toEqual([7, [30, 90, 210, 450, 750, 1050]]);
    expect(isOver()).toBe(false);
    join();
    await clock.advance(300_000);
    expect([asked.length, isOver(), clock.pendingTimers]).toEqual([7, true, 0]);
  });

  it('ends with the agent', async () => {
    const { clock, aborter, run } = setUp(1, () => false);
    await clock.advance(1);
    aborter.abort();
    await run;
    expect(clock.pendingTimers).toBe(0);
  });

  it('does nothing when nobody was known', async () => {
    const { asked, run } = setUp(0, () => true);
    await run;
    expect(asked).toEqual([]);
  });
});
