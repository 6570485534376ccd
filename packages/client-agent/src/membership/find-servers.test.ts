import { silentLogger } from '@lictor/protocol';
import { FakeClock } from '@lictor/protocol/testing';
import { describe, expect, it } from 'vitest';
import type { AgentPool, PoolMember } from '../contracts/index.ts';
import { findServers } from './find-servers.ts';

class World {
  readonly clock = new FakeClock();
  readonly asked: { readonly atMs: number; readonly addresses: readonly string[] }[] = [];
  readonly end: () => void;
  members: PoolMember[];
  #tell = (): void => undefined;

  constructor(...statuses: readonly PoolMember['status'][]) {
    this.members = statuses.map((status, at) => ({ name: `s${at}`, address: `10.0.0.${at}:8301`, tags: { role: 'consul' }, status }));
    const pool: AgentPool = {
      members: () => this.members,
      onChange: (listener) => {
        this.#tell = listener;
        return () => (this.#tell = () => undefined);
      },
      join: (addresses) => {
        this.asked.push({ atMs: this.clock.monotonic(), addresses });
        return Promise.resolve({ joined: 0, failures: [] });
      },
      forceLeave: () => false,
      sendUserEvent: () => undefined,
      onUserEvent: () => () => undefined,
      coordinate: () => ({ Vec: [], Error: 0, Adjustment: 0, Height: 0 }),
      stats: () => ({}),
    };
    const { clock } = this;
    this.end = findServers({ clock, logger: silentLogger, pool, addresses: ['seed'], defaultPort: 8301, intervalMs: 30_000 });
  }

  become(...statuses: readonly PoolMember['status'][]): void {
    this.members = this.members.map((member, at) => ({ ...member, status: statuses[at] ?? member.status }));
    this.#tell();
  }
}

describe('a client whose servers are gone', () => {
  it('has nothing to look for while one is alive', async () => {
    const world = new World('failed', 'alive');
    await world.clock.advance(3_600_000);
    expect(world.asked).toEqual([]);
  });

  it('looks soon, where they were and where the configuration says, and ever more seldom', async () => {
    const world = new World('alive', 'alive');
    await world.clock.advance(10_000);
    world.become('failed', 'left');
    await world.clock.advance(100_000);
    expect(world.asked[0]).toEqual({ atMs: 11_000, addresses: ['seed:8301', '10.0.0.0:8301', '10.0.0.1:8301'] });
    expect(world.asked.map(({ atMs }) => atMs - 10_000)).toEqual([1000, 3000, 7000, 15_000, 31_000, 61_000, 91_000]);
  });

  it('stops when one is back, and begins soon when that goes', async () => {
    const world = new World('failed');
    await world.clock.advance(8000);
    world.become('alive');
    const before = world.asked.length;
    await world.clock.advance(60_000);
    expect(world.asked).toHaveLength(before);
    world.become('failed');
    await world.clock.advance(1000);
    expect(world.asked).toHaveLength(before + 1);
    world.end();
    await world.clock.advance(60_000);
    expect(world.asked).toHaveLength(before + 1);
    expect(world.clock.pendingTimers).toBe(0);
  });
});
