import { DEFAULT_NAMESPACE } from '@lictor/protocol';
import type { ProxyRegistration } from '../control-plane/port.ts';
import { DEFAULTS, type ProxyConfig, type PublicListenerConfig, type UpstreamConfig } from './types.ts';

const MAX_PORT = 65_535;

type Opaque = Readonly<Record<string, unknown>> | null | undefined;

/** @throws Error when the registration is not a sidecar's */
export function configFromRegistration(registration: ProxyRegistration): ProxyConfig {
  if (registration.kind !== 'connect-proxy') throw new Error('service is not a valid connect proxy');
  const { proxy } = registration;
  const publicListener = publicListenerOf(registration);
  const prometheusBindAddr = text(proxy.Config, 'prometheus_bind_addr');
  return {
    service: proxy.DestinationServiceName,
    ...(publicListener.port > 0 && { publicListener }),
    upstreams: proxy.Upstreams.map(upstreamOf),
    ...(prometheusBindAddr !== '' && { prometheusBindAddr }),
  };
}

/** `bind_address` and `bind_port` win over the registered address, which others may reach through a translation. */
function publicListenerOf({ address, port, proxy }: ProxyRegistration): PublicListenerConfig {
  const { Config: config } = proxy;
  return {
    host: text(config, 'bind_address') || address || DEFAULTS.bindHost,
    port: positive(config, 'bind_port') ?? port,
    applicationHost: proxy.LocalServiceAddress || DEFAULTS.applicationHost,
    applicationPort: connectable(proxy.LocalServicePort) || defaultPort(proxy.LocalServicePorts) || 0,
    ...(proxy.LocalServiceSocketPath !== '' && { applicationSocketPath: proxy.LocalServiceSocketPath }),
    localConnectTimeoutMs: positive(config, 'local_connect_timeout_ms') ?? DEFAULTS.localConnectTimeoutMs,
    handshakeTimeoutMs: positive(config, 'handshake_timeout_ms') ?? DEFAULTS.handshakeTimeoutMs,
    maxConnections: positive(config, 'max_inbound_connections') ?? DEFAULTS.maxConnections,
  };
}

/** Services may be registered with any number; connecting to one that is no port throws, and to 0 is refused. */
function connectable(port: number): number {
  return port > 0 && port <= MAX_PORT ? port : 0;
}

function upstreamOf(upstream: ProxyRegistration['proxy']['Upstreams'][number]): UpstreamConfig {
  return {
    destinationType: upstream.DestinationType || 'service',
    service: upstream.DestinationName,
    namespace: upstream.DestinationNamespace || DEFAULT_NAMESPACE,
    datacenter: upstream.Datacenter,
    host: upstream.LocalBindAddress || DEFAULTS.upstreamHost,
    port: upstream.LocalBindPort,
    socketPath: upstream.LocalBindSocketPath,
    ...(upstream.DestinationPeer !== '' && { peer: upstream.DestinationPeer }),
    ...(upstream.DestinationPort !== '' && { destinationPort: upstream.DestinationPort }),
    connectTimeoutMs: positive(upstream.Config, 'connect_timeout_ms') ?? DEFAULTS.connectTimeoutMs,
    maxConnections: positive(limitsOf(upstream.Config), 'max_connections') ?? DEFAULTS.maxConnections,
  };
}

function limitsOf(config: Opaque): Opaque {
  const limits = config?.['limits'];
  return typeof limits === 'object' && limits !== null && !Array.isArray(limits) ? (limits as Record<string, unknown>) : undefined;
}

function defaultPort(ports: ProxyRegistration['proxy']['LocalServicePorts']): number | undefined {
  return (ports?.find((port) => port.Default) ?? ports?.[0])?.Port;
}

function text(config: Opaque, key: string): string {
  const value = config?.[key];
  return typeof value === 'string' ? value : '';
}

/** HCL and JSON give numbers or their texts; anything else counts as absent. */
function positive(config: Opaque, key: string): number | undefined {
  const value = config?.[key];
  const number = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) && number > 0 ? Math.trunc(number) : undefined;
}
