import type { AgentPool } from '@lictor/client-agent';
import type { GossipPool } from '@lictor/gossip';
import { toApiCoordinate } from './coordinate.ts';

/** A pool as its agent uses it. */
export function toAgentPool(pool: GossipPool): AgentPool {
  return {
    members: () => pool.members(),
    onChange: (listener) => pool.onEvent((event) => event.type !== 'conflict' && listener()),
    join: (addresses) => pool.join(addresses),
    forceLeave: (name, { prune }) => {
      if (pool.member(name) === undefined) return false;
      pool.forceLeave(name, { prune });
      return true;
    },
    sendUserEvent: (name, payload) => pool.sendUserEvent(name, payload),
    onUserEvent: (listener) => pool.onUserEvent(listener),
    coordinate: () => toApiCoordinate(pool.coordinate()),
    stats: () => pool.stats(),
  };
}
