import { type Clock, joinHostPort, type Logger, parseHostPortOr, sleep } from '@lictor/protocol';
import type { AgentPool, JoinConfig } from '../contracts/index.ts';
import { plainAddresses } from './plain-addresses.ts';

export interface RetryJoinPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly pool: AgentPool;
  /** Of members whose address has none. */
  readonly defaultPort: number;
}

/** Agents that start together find nobody at first: they need not wait for a whole interval then. Twice as long each time. */
const FIRST_RETRY_MS = 1000;

/**
 * Joins the members that the configuration names: all of them at once, again and again until one has answered.
 * @returns false when the attempts were used up
 */
export async function retryJoin({ addresses, intervalMs, max }: JoinConfig, ports: RetryJoinPorts, signal: AbortSignal): Promise<boolean> {
  const { clock, logger, pool, defaultPort } = ports;
  const plain = plainAddresses(addresses);
  if (plain.length < addresses.length)
    logger.error('members cannot be found by a cloud provider: such addresses are left out', { count: addresses.length - plain.length });
  if (plain.length === 0) return true;
  const targets = plain.map((address) => withPort(address, defaultPort));
  logger.info('Joining cluster...', { addresses: targets.join(' ') });
  for (let attempt = 1; !signal.aborted; attempt++) {
    const { joined, failures } = await pool.join(targets);
    // Nobody but this agent itself: it is by itself, as it was told.
    if (joined > 0 || failures.length === 0) {
      logger.info('Join cluster completed. Synced with initial agents', { num_agents: joined });
      return true;
    }
    const reasons = failures.map(({ address, error }) => `${address}: ${error.message}`).join('; ');
    if (max > 0 && attempt >= max) {
      logger.error('max join retry exhausted, exiting', { error: reasons });
      return false;
    }
    const delayMs = max > 0 ? intervalMs : Math.min(intervalMs, FIRST_RETRY_MS * 2 ** (attempt - 1));
    logger.warn('Join cluster failed, will retry', { retry_interval: `${delayMs / 1000}s`, error: reasons });
    await sleep(clock, delayMs, signal).catch(() => undefined);
  }
  return true;
}

function withPort(address: string, defaultPort: number): string {
  const { host, port } = parseHostPortOr(address, defaultPort);
  return joinHostPort(host, port);
}
