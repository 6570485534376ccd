import { type ConfigEntry, decode, type NodeService, type ResolvedServiceConfig, WILDCARD } from '@lictor/protocol';
import type { Shape } from '../shape/index.ts';
import { type ProxyDefaults, proxyDefaultsShape } from './kinds/proxy-defaults.ts';
import { type ServiceDefaults, serviceDefaultsShape } from './kinds/service-defaults.ts';
import { type UpstreamConfig, upstreamConfig } from './kinds/upstream-config.ts';

export interface ResolveInput {
  /** The service that the proxy stands for. */
  readonly service: string;
  /** Names of the upstreams in the proxy's registration. */
  readonly upstreams: readonly string[];
  /** From the proxy's registration, where it has them. */
  readonly mode?: string;
  readonly meshGateway?: { readonly Mode: string };
  readonly proxyDefaults: ConfigEntry | null;
  /** The service's own, and those of its upstreams. */
  readonly serviceDefaults: (service: string) => ConfigEntry | null;
}

type OpaqueConfig = Record<string, unknown>;

const decodedProxyDefaults = new WeakMap<ConfigEntry, ProxyDefaults>();
const decodedServiceDefaults = new WeakMap<ConfigEntry, ServiceDefaults>();

/**
 * The central configuration of one service: service-defaults over proxy-defaults, and for each upstream its own protocol, this service's
 * upstream defaults and overrides, in Consul's order (consul-facts E020). Pure: the entries are handed in.
 */
export function resolveServiceConfig(input: ResolveInput): ResolvedServiceConfig {
  const global = input.proxyDefaults === null ? undefined : decodeOnce(decodedProxyDefaults, input.proxyDefaults, proxyDefaultsShape);
  const own = decodeServiceDefaults(input, input.service);
  const base = {
    proxyConfig: resolveProxyConfig(global, own),
    meshGateway: { Mode: own?.MeshGateway.Mode || (global?.MeshGateway.Mode ?? '') },
    expose: resolveExpose(global, own),
    mode: own?.Mode || (global?.Mode ?? ''),
    transparentProxy: {
      OutboundListenerPort: own?.TransparentProxy.OutboundListenerPort || (global?.TransparentProxy.OutboundListenerPort ?? 0),
      DialedDirectly: (own?.TransparentProxy.DialedDirectly ?? false) || (global?.TransparentProxy.DialedDirectly ?? false),
    },
    mutualTlsMode: own?.MutualTLSMode || (global?.MutualTLSMode ?? ''),
    ...(global !== undefined && { accessLogs: global.AccessLogs }),
    // Extensions of proxy-defaults apply first.
    envoyExtensions: [...(global?.EnvoyExtensions ?? []), ...(own?.EnvoyExtensions ?? [])],
  };
  const isTransparent = input.mode === 'transparent' || base.mode === 'transparent';
  const needsUpstreams = input.upstreams.length > 0 || isTransparent;
  return { ...base, upstreamConfigs: needsUpstreams ? resolveUpstreams(input, global, own, base.meshGateway) : {} };
}

function decodeServiceDefaults(input: ResolveInput, service: string): ServiceDefaults | undefined {
  const entry = input.serviceDefaults(service);
  return entry === null ? undefined : decodeOnce(decodedServiceDefaults, entry, serviceDefaultsShape);
}

/** Stored entries are never changed in place, and one is read for thousands of instances. */
function decodeOnce<T>(known: WeakMap<ConfigEntry, T>, entry: ConfigEntry, shape: Shape<T>): T {
  let decoded = known.get(entry);
  if (decoded === undefined) {
    decoded = decode(shape, entry);
    known.set(entry, decoded);
  }
  return decoded;
}

function resolveProxyConfig(global: ProxyDefaults | undefined, own: ServiceDefaults | undefined): OpaqueConfig {
  const config: OpaqueConfig = Object.assign(Object.create(null) as OpaqueConfig, global?.Config);
  if (own === undefined) return config;
  if (own.Protocol !== '') config.protocol = own.Protocol;
  if (own.BalanceInboundConnections !== '') config.balance_inbound_connections = own.BalanceInboundConnections;
  if (own.MaxInboundConnections > 0) config.max_inbound_connections = own.MaxInboundConnections;
  if (own.LocalConnectTimeoutMs > 0) config.local_connect_timeout_ms = own.LocalConnectTimeoutMs;
  if (own.LocalRequestTimeoutMs > 0) config.local_request_timeout_ms = own.LocalRequestTimeoutMs;
  return config;
}

function resolveExpose(global: ProxyDefaults | undefined, own: ServiceDefaults | undefined): NodeService['Proxy']['Expose'] {
  const paths = own !== undefined && own.Expose.Paths.length > 0 ? own.Expose.Paths : (global?.Expose.Paths ?? []);
  return { Checks: (own?.Expose.Checks ?? false) || (global?.Expose.Checks ?? false), Paths: [...paths] };
}

function resolveUpstreams(
  input: ResolveInput,
  global: ProxyDefaults | undefined,
  own: ServiceDefaults | undefined,
  meshGateway: { readonly Mode: string },
): Record<string, OpaqueConfig> {
  const resolved = Object.create(null) as Record<string, OpaqueConfig>;
  const defaults = withMeshGateway(own?.UpstreamConfig?.Defaults, meshGateway.Mode);
  const fromRegistration = input.meshGateway !== undefined && input.meshGateway.Mode !== '' ? { Mode: input.meshGateway.Mode } : undefined;
  const wildcard: OpaqueConfig = {};
  const globalGateway = global?.Config.mesh_gateway;
  if (globalGateway !== undefined) wildcard.mesh_gateway = globalGateway;
  if (meshGateway.Mode !== '') wildcard.mesh_gateway = { ...meshGateway };
  if (defaults !== undefined) mergeInto(wildcard, defaults);
  if (fromRegistration !== undefined) wildcard.mesh_gateway = fromRegistration;
  if (Object.keys(wildcard).length > 0 || defaults !== undefined) resolved[WILDCARD] = wildcard;

  const overrides = new Map(
    (own?.UpstreamConfig?.Overrides ?? []).map((override) => [upstreamKey(override.Name, override.Peer), override]),
  );
  for (const name of new Set([...input.upstreams, ...overrides.keys()])) {
    const config: OpaqueConfig = {};
    const globalProtocol = global?.Config.protocol;
    if (typeof globalProtocol === 'string' && globalProtocol !== '') config.protocol = globalProtocol.toLowerCase();
    Object.assign(config, wildcard);
    const protocol = decodeServiceDefaults(input, name)?.Protocol ?? '';
    if (protocol !== '') config.protocol = protocol;
    if (meshGateway.Mode !== '') config.mesh_gateway = { ...meshGateway };
    if (defaults !== undefined) mergeInto(config, defaults);
    if (fromRegistration !== undefined) config.mesh_gateway = fromRegistration;
    const override = overrides.get(name);
    if (override !== undefined) mergeInto(config, override);
    if (Object.keys(config).length > 0) resolved[name] = config;
  }
  return resolved;
}

/** Upstreams of peers have the peer before their name, as source intentions do. */
export function upstreamKey(name: string, peer: string): string {
  return peer === '' ? name : `${peer}/${name}`;
}

function withMeshGateway(config: UpstreamConfig | undefined, mode: string): UpstreamConfig | undefined {
  if (config === undefined || config.MeshGateway.Mode !== '') return config;
  return { ...config, MeshGateway: { Mode: mode } };
}

/** Puts what is set into an opaque map; unset fields would override. */
function mergeInto(target: OpaqueConfig, config: UpstreamConfig): void {
  if (config.EnvoyListenerJSON !== '') target.envoy_listener_json = config.EnvoyListenerJSON;
  if (config.EnvoyClusterJSON !== '') target.envoy_cluster_json = config.EnvoyClusterJSON;
  if (config.Protocol !== '') target.protocol = config.Protocol;
  if (config.ConnectTimeoutMs !== 0) target.connect_timeout_ms = config.ConnectTimeoutMs;
  if (config.MeshGateway.Mode !== '') target.mesh_gateway = { ...config.MeshGateway };
  const shown = upstreamConfig.encodeKept(config) as OpaqueConfig;
  if (config.Limits !== undefined) target.limits = shown.Limits;
  if (config.PassiveHealthCheck !== undefined) target.passive_health_check = shown.PassiveHealthCheck;
  if (config.BalanceOutboundConnections !== '') target.balance_outbound_connections = config.BalanceOutboundConnections;
}
