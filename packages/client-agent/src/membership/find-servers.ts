import { type Clock, joinHostPort, type Logger, parseHostPortOr, type Timer } from '@lictor/protocol';
import type { AgentPool, PoolMember } from '../contracts/index.ts';
import { plainAddresses } from './plain-addresses.ts';

export interface FindServersPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly pool: AgentPool;
  /** `host[:port]` of members that the configuration names. */
  readonly addresses: readonly string[];
  readonly defaultPort: number;
  /** Between two attempts at most, ms. */
  readonly intervalMs: number;
}

const FIRST_RETRY_MS = 1000;

/**
 * A client without servers is of little use to its node. Gossip tries members that failed now and then; this looks for servers soon: at the
 * places that the configuration names, and where servers were last.
 * @returns ends it
 */
export function findServers({ clock, logger, pool, addresses, defaultPort, intervalMs }: FindServersPorts): () => void {
  const named = plainAddresses(addresses)
    .map((address) => parseHostPortOr(address, defaultPort))
    .map(({ host, port }) => joinHostPort(host, port));
  let timer: Timer | undefined;
  let attempts = 0;
  let isStopped = false;
  const look = async (): Promise<void> => {
    attempts += 1;
    const targets = new Set([
      ...named,
      ...pool
        .members()
        .filter(isServer)
        .map(({ address }) => address),
    ]);
    logger.info('no server is alive; looking for one', { attempt: attempts });
    if (targets.size > 0) await pool.join([...targets]).catch((error: unknown) => logger.warn('no server was found', { error }));
    timer = undefined;
    follow();
  };
  const follow = (): void => {
    if (isStopped) return;
    if (pool.members().some((member) => isServer(member) && member.status === 'alive')) {
      timer?.cancel();
      timer = undefined;
      attempts = 0;
    } else timer ??= clock.setTimer(Math.min(intervalMs, FIRST_RETRY_MS * 2 ** attempts), () => void look());
  };
  const unsubscribe = pool.onChange(follow);
  follow();
  return () => {
    isStopped = true;
    timer?.cancel();
    unsubscribe();
  };
}

function isServer({ tags }: PoolMember): boolean {
  return tags['role'] === 'consul';
}
