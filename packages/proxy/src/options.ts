import type { Clock, Logger, Metrics, Random } from '@lictor/protocol';
import type { ProxyConfig } from './config/types.ts';
import type { ControlPlane, SelfRegistration } from './control-plane/port.ts';
import type { AccessLog } from './observe/access-log.ts';
import type { PoolLimits } from './tunnel/idle-pool.ts';

/** Where the configuration comes from. */
export type ConfigSource =
  /** The registration of this id at the agent, watched (`-sidecar-for`, `-proxy-id`). */
  | { readonly kind: 'agent'; readonly proxyId: string }
  /** Flags (`-service`, `-upstream`, `-listen`); `registration` is kept at the agent while the proxy runs (`-register`). */
  | { readonly kind: 'static'; readonly config: ProxyConfig; readonly registration?: SelfRegistration };

export interface ProxyOptions {
  readonly source: ConfigSource;
  /** `live` closes streams that a changed rule denies, within a second; `new-connections` leaves them, as Consul does (consul-facts D7). */
  readonly revocation?: 'live' | 'new-connections';
  /** How long `stop` waits for open streams. Default 30 s. */
  readonly drainTimeoutMs?: number;
  /** `host:port` of the Prometheus endpoint `/metrics`; absent: none. */
  readonly prometheusBindAddr?: string;
  readonly poolLimits?: PoolLimits;
}

export interface ProxyPorts {
  readonly controlPlane: ControlPlane;
  readonly clock: Clock;
  readonly random: Random;
  /** Named `proxy` by its maker. */
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly accessLog?: AccessLog;
}

export const DEFAULT_DRAIN_TIMEOUT_MS = 30_000;
