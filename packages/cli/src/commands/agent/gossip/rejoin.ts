import type { AgentPool } from '@lictor/client-agent';
import { type Clock, type Logger, type Random, shuffled, sleep } from '@lictor/protocol';
import type { KnownMembers } from './member-changes.ts';

/** Asked at once: one that answers is enough. */
const AT_ONCE = 8;
/** At first as `retry_join` (consul-facts T023), then twice as long each time: those members may be gone for good. */
const RETRY_MS = 30_000;
const LONGEST_RETRY_MS = 300_000;

export interface RejoinPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly pool: AgentPool;
}

/** Goes back to whom this agent knew when it last ran, again and again until it is not alone. Never rejects. */
export async function rejoin({ members }: KnownMembers, ports: RejoinPorts, signal: AbortSignal): Promise<void> {
  const { clock, random, logger, pool } = ports;
  const addresses = [...members.values()];
  let retryMs = RETRY_MS;
  while (addresses.length > 0 && !signal.aborted && isAlone(pool)) {
    const order = shuffled(addresses, random);
    for (let start = 0; start < order.length && !signal.aborted && isAlone(pool); start += AT_ONCE) {
      const some = order.slice(start, start + AT_ONCE);
      logger.info('Attempting re-join to previously known nodes', { addresses: some.join(' ') });
      const { joined } = await pool.join(some).catch(() => ({ joined: 0 }));
      if (joined > 0) return logger.info('Re-joined to previously known nodes', { num_agents: joined });
    }
    if (!isAlone(pool)) return;
    logger.warn('Failed to re-join any previously known node', { retry_interval: `${retryMs / 1000}s` });
    await sleep(clock, retryMs, signal).catch(() => undefined);
    retryMs = Math.min(2 * retryMs, LONGEST_RETRY_MS);
  }
}

/** Of several ways into the pool another one may have been quicker. */
function isAlone(pool: AgentPool): boolean {
  return pool.members().filter(({ status }) => status === 'alive').length <= 1;
}
