import { type GossipPoolConfig, memberName, memberTags, type RuntimeConfig } from '@lictor/client-agent';
import { type Candidate, GossipPool, LAN_PROFILE, NodeTransport, type Transport, WAN_PROFILE } from '@lictor/gossip';
import { compileRegex } from '@lictor/mesh';
import { API_VERSION, type Clock, joinHostPort, type Logger, type Metrics, type Random } from '@lictor/protocol';
import { loadPoolKeys } from './keys.ts';

export interface PoolPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Stands between gossip and the network. */
  readonly wrapTransport: (transport: Transport) => Transport;
}

/** The LAN or the WAN pool of this agent, not started yet. @throws LictorError, GossipError */
export function createPool(
  config: RuntimeConfig,
  pool: GossipPoolConfig,
  wan: boolean,
  { wrapTransport, ...ports }: PoolPorts,
): GossipPool {
  const base = wan ? WAN_PROFILE : LAN_PROFILE;
  const profile = {
    ...base,
    ...pool.timing,
    ...(pool.reconnectTimeoutMs !== undefined && { reconnectTimeoutMs: pool.reconnectTimeoutMs }),
  };
  const { keys, onKeysChanged } = loadPoolKeys(config, wan ? 'remote' : 'local', ports.logger);
  const { bindAddress: host, port, advertiseAddress, allowedCidrs } = pool;
  return new GossipPool(
    {
      profile,
      name: memberName(config, wan),
      id: config.nodeId,
      tags: memberTags(config, wan, `${API_VERSION}:`),
      advertise: joinHostPort(advertiseAddress, port),
      defaultPort: port,
      // What was said in one pool counts for nothing in the other, though both have the same key.
      label: wan ? 'wan' : 'lan',
      keys,
      onKeysChanged,
      verifyIncoming: config.gossip.verifyIncoming,
      verifyOutgoing: config.gossip.verifyOutgoing,
      ...(allowedCidrs !== null && { allowedNetworks: allowedCidrs }),
      ignoresOldEvents: true,
      matchesPattern: (pattern, value) => compileRegex(pattern).matchesPart(value),
      metricLabels: { network: wan ? 'wan' : 'lan' },
      admits: (candidate) => (wan ? refusalOfWan(candidate) : refusalOfLan(candidate, config.datacenter)),
    },
    { ...ports, transport: wrapTransport(new NodeTransport({ host, port, streamTimeoutMs: profile.streamTimeoutMs })) },
  );
}

function refusalOfLan({ name, tags }: Candidate, datacenter: string): string | undefined {
  const theirs = tags['dc'] ?? '';
  return theirs === datacenter ? undefined : `Member '${name}' part of wrong datacenter '${theirs}', not '${datacenter}'`;
}

function refusalOfWan({ name, tags }: Candidate): string | undefined {
  return tags['role'] === 'consul' ? undefined : `Member '${name}' is not a server`;
}
