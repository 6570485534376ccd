/** What a proxy does, complete: every default filled in. Immutable. */
export interface ProxyConfig {
  /** The service it stands for: the name in its certificate. */
  readonly service: string;
  readonly publicListener?: PublicListenerConfig;
  readonly upstreams: readonly UpstreamConfig[];
  /** `host:port` of the Prometheus endpoint; absent: none, or the one that the process was started with. */
  readonly prometheusBindAddr?: string;
}

export interface PublicListenerConfig {
  readonly host: string;
  readonly port: number;
  readonly applicationHost: string;
  readonly applicationPort: number;
  /** Unix socket of the local service, instead of host and port. */
  readonly applicationSocketPath?: string;
  readonly localConnectTimeoutMs: number;
  readonly handshakeTimeoutMs: number;
  readonly maxConnections: number;
}

export interface UpstreamConfig {
  readonly destinationType: string;
  readonly service: string;
  readonly namespace: string;
  /** Empty: the agent's own. */
  readonly datacenter: string;
  readonly host: string;
  /** Below 1: none was given. */
  readonly port: number;
  readonly socketPath: string;
  /** Set for what this proxy cannot do yet: the cluster peer of the destination, the name of one of its ports. */
  readonly peer?: string;
  readonly destinationPort?: string;
  readonly connectTimeoutMs: number;
  readonly maxConnections: number;
}

/** consul-facts K075-K078; connection limits are ours (X010 names them). */
export const DEFAULTS = {
  bindHost: '0.0.0.0',
  upstreamHost: '127.0.0.1',
  applicationHost: '127.0.0.1',
  localConnectTimeoutMs: 1000,
  handshakeTimeoutMs: 10_000,
  connectTimeoutMs: 10_000,
  maxConnections: 16_384,
} as const;

/** `127.0.0.1:9191->service:default/socat`, the form of Consul 1.8 (consul-facts D2, S026). */
export function describeUpstream(upstream: UpstreamConfig): string {
  const bind = upstream.socketPath === '' ? `${upstream.host}:${upstream.port}` : upstream.socketPath;
  return `${bind}->${upstream.destinationType}:${upstream.namespace}/${upstream.service}`;
}
