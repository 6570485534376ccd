import { Secret, silentMetrics } from '@lictor/protocol';
import { systemClock, systemRandom } from '@lictor/protocol/system';
import { MemoryLogger } from '@lictor/protocol/testing';
import { NodeTransport } from '../node-transport.ts';
import { LOCAL_PROFILE, type PoolOptions, type PoolProfile } from '../options.ts';
import { GossipPool } from '../pool.ts';
import type { MembershipEvent } from '../../types.ts';

/** Everything ten times as fast as on a LAN. */
export const QUICK_PROFILE: PoolProfile = Object.freeze({
  ...LOCAL_PROFILE,
  probeIntervalMs: 150,
  probeTimeoutMs: 75,
  gossipIntervalMs: 20,
  pushPullIntervalMs: 1000,
  reconnectIntervalMs: 300,
  reapIntervalMs: 200,
  leavePropagateMs: 50,
  broadcastTimeoutMs: 500,
  streamTimeoutMs: 2000,
});

export const KEYS = [1, 2, 3].map((byte) => new Secret(Buffer.alloc(32, byte).toString('base64')));

export interface TestPool {
  readonly pool: GossipPool;
  readonly events: MembershipEvent[];
  readonly logger: MemoryLogger;
}

/** Real pools on loopback, which all end with the test. */
export class Pools {
  readonly #pools: GossipPool[] = [];

  async start(name: string, options: Partial<PoolOptions> = {}, host = '127.0.0.1'): Promise<TestPool> {
    const logger = new MemoryLogger();
    const profile = options.profile ?? QUICK_PROFILE;
    const transport = new NodeTransport({ host, port: 0, streamTimeoutMs: profile.streamTimeoutMs });
    const ports = { transport, clock: systemClock, random: systemRandom, logger, metrics: silentMetrics };
    const pool = new GossipPool({ profile, name, id: `id-of-${name}`, ...options }, ports);
    const events: MembershipEvent[] = [];
    pool.onEvent((event) => events.push(event));
    await pool.start();
    this.#pools.push(pool);
    return { pool, events, logger };
  }

  /** `n1` and so on, joined to the first. */
  async formed(count: number, options: Partial<PoolOptions> = {}): Promise<TestPool[]> {
    const all: TestPool[] = [];
    for (let number = 1; number <= count; number++) {
      const next = await this.start(`n${number}`, options);
      const [first] = all;
      if (first !== undefined) await next.pool.join([first.pool.self.address]);
      all.push(next);
    }
    await until(() => all.every(({ pool }) => alive(pool) === count));
    return all;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#pools.splice(0).map((pool) => pool.stop()));
  }
}

export function alive(pool: GossipPool): number {
  return pool.members().filter(({ status }) => status === 'alive').length;
}

/** Waits for a condition; the test's own timeout is the limit. */
export async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5));
}
