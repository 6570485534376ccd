import { memberName, type AgentPool, type PoolMember, type RuntimeConfig } from '@lictor/client-agent';
import { type Clock, joinHostPort, type Logger, parseHostPortOr, type Timer } from '@lictor/protocol';

/** Consul-facts T019. */
const FLOOD_EVERY_MS = 60_000;

export interface FloodPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly lan: AgentPool;
  readonly wan: AgentPool;
  readonly config: RuntimeConfig;
}

/**
 * Brings the servers of this datacenter into the WAN pool: it is enough that one of them joins another datacenter.
 * @returns ends it
 */
export function floodJoin({ clock, logger, lan, wan, config }: FloodPorts): () => void {
  let timer: Timer | undefined;
  let isStopped = false;
  const trying = new Set<string>();
  const join = async (address: string): Promise<void> => {
    if (trying.has(address)) return;
    trying.add(address);
    const { joined } = await wan.join([address]);
    trying.delete(address);
    if (joined > 0) logger.info('joined a server of this datacenter in the WAN pool', { address });
  };
  const flood = (): void => {
    const known = new Set(wan.members().flatMap(({ name, status }) => (status === 'alive' ? [name] : [])));
    for (const member of lan.members()) {
      const address = wanAddressOf(member);
      if (address !== undefined && !known.has(memberName({ ...config, nodeName: member.name }, true))) void join(address);
    }
  };
  const tick = (): void => {
    if (isStopped) return;
    timer = clock.setTimer(FLOOD_EVERY_MS, tick);
    flood();
  };
  const unsubscribe = lan.onChange(flood);
  tick();
  return () => {
    isStopped = true;
    timer?.cancel();
    unsubscribe();
  };
}

function wanAddressOf({ address, tags, status }: PoolMember): string | undefined {
  const port = Number(tags['wan_join_port']);
  if (status !== 'alive' || tags['role'] !== 'consul' || !Number.isInteger(port) || port < 1 || port > 65_535) return undefined;
  return joinHostPort(parseHostPortOr(address, 0).host, port);
}
