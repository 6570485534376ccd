import { type AgentPools, findServers, type JoinConfig, retryJoin, type RuntimeConfig } from '@lictor/client-agent';
import type { GossipPool } from '@lictor/gossip';
import type { DatacenterDirectory, GossipKeyrings } from '@lictor/server';
import { toAgentPool } from './agent-pool.ts';
import { datacentersOf } from './datacenters.ts';
import { createPool, type PoolPorts } from './create-pool.ts';
import { floodJoin } from './flood-join.ts';
import { keyringsOf } from './keyrings.ts';
import { PoolMemory } from './pool-memory.ts';

/** This agent's membership: the LAN pool and, on servers, the WAN pool. */
export interface Gossip {
  readonly pools: AgentPools & Required<Pick<AgentPools, 'lan'>>;
  /** Undefined: there is no WAN pool. */
  readonly datacenters: DatacenterDirectory | undefined;
  readonly keyrings: GossipKeyrings;
  /** Joins whom the configuration names; resolves when somebody has answered. False: the attempts were used up. */
  join(): Promise<boolean>;
  /** Tells the others that this agent goes for good. */
  leave(): Promise<void>;
  stop(): Promise<void>;
}

interface Joining {
  readonly pool: GossipPool;
  readonly join: JoinConfig;
  readonly port: number;
  /** Undefined: nothing is kept on disk. */
  readonly memory: PoolMemory | undefined;
}

/** Listens, as pools of one. @throws LictorError, GossipError when a port is taken or a key cannot be used */
export async function startGossip(config: RuntimeConfig, { logger, ...ports }: PoolPorts): Promise<Gossip> {
  const { lan, wan } = config.gossip;
  const joinings: Joining[] = [];
  const stopping = new AbortController();
  const stop = async (): Promise<void> => {
    stopping.abort();
    for (const { memory } of joinings) memory?.stop();
    await Promise.all(joinings.map(({ pool }) => pool.stop()));
  };
  const start = async (isWan: boolean): Promise<GossipPool> => {
    const poolConfig = isWan && wan !== null ? wan : lan;
    const pool = createPool(config, poolConfig, isWan, { ...ports, logger: logger.named(isWan ? 'serf.wan' : 'serf.lan') });
    const memory = config.dataDir === null ? undefined : new PoolMemory(pool, config.dataDir, isWan, { ...ports, logger });
    joinings.push({ pool, join: poolConfig.join, port: poolConfig.port, memory });
    await pool.start();
    return pool;
  };
  try {
    const lanPool = await start(false);
    const wanPool = wan === null ? undefined : await start(true);
    const pools = { lan: toAgentPool(lanPool), ...(wanPool !== undefined && { wan: toAgentPool(wanPool) }) };
    if (pools.wan !== undefined) {
      const end = floodJoin({ clock: ports.clock, logger, lan: pools.lan, wan: pools.wan, config });
      stopping.signal.addEventListener('abort', end, { once: true });
    }
    return {
      pools,
      datacenters: wanPool === undefined ? undefined : datacentersOf(wanPool),
      keyrings: keyringsOf(lanPool, wanPool),
      join: async () => {
        for (const { memory } of joinings) void memory?.rejoin(config.gossip.rejoinsAfterLeave, stopping.signal);
        const joined = joinings.map(({ pool, join, port }) =>
          retryJoin(join, { clock: ports.clock, logger, pool: toAgentPool(pool), defaultPort: port }, stopping.signal),
        );
        const hasJoined = (await Promise.all(joined)).every(Boolean);
        if (hasJoined && !config.server && !stopping.signal.aborted) {
          const { addresses, intervalMs } = lan.join;
          const end = findServers({ clock: ports.clock, logger, pool: pools.lan, addresses, defaultPort: lan.port, intervalMs });
          stopping.signal.addEventListener('abort', end, { once: true });
        }
        return hasJoined;
      },
      leave: async () => {
        stopping.abort();
        for (const { memory } of joinings) memory?.noteLeave();
        await Promise.all(joinings.map(({ pool }) => pool.leave()));
      },
      stop,
    };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}
