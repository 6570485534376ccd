import { Authorizer } from '../authz/authorizer.ts';
import { CredentialStore } from '../identity/credentials.ts';
import { ListenerStats } from '../observe/listener-stats.ts';
import type { ProxyOptions, ProxyPorts } from '../options.ts';
import { StreamRegistry } from '../registry/registry.ts';
import { TunnelPool } from '../upstream/tunnel-pool.ts';

/** What the listeners of one service share. */
export interface ServiceContext {
  readonly service: string;
  readonly ports: ProxyPorts;
  readonly credentials: CredentialStore;
  readonly authorizer: Authorizer;
  readonly registry: StreamRegistry;
  readonly pool: TunnelPool;
  readonly inboundStats: ListenerStats;
  /** By destination; they outlive their listeners, so that counters never go back. */
  readonly upstreamStats: Map<string, ListenerStats>;
  isDraining: boolean;
}

export function createServiceContext(service: string, options: ProxyOptions, ports: ProxyPorts): ServiceContext {
  return {
    service,
    ports,
    credentials: new CredentialStore(),
    authorizer: new Authorizer(service, ports.controlPlane),
    registry: new StreamRegistry(),
    pool: new TunnelPool(ports.clock, options.poolLimits),
    inboundStats: new ListenerStats(`proxy.${service}.inbound`, { dst: service }),
    upstreamStats: new Map(),
    isDraining: false,
  };
}

export function allStats(context: ServiceContext): readonly ListenerStats[] {
  return [context.inboundStats, ...context.upstreamStats.values()];
}
