import {
  type ConnectProxyConfig,
  decode,
  type NodeService,
  type ResolvedServiceConfig,
  type Upstream,
  upstream,
  WILDCARD,
} from '@lictor/protocol';
import { upstreamKey } from './resolve.ts';

/**
 * A registration with the central configuration below it: what the registration says wins (consul-facts E020, E023). The input stays as it is.
 */
export function mergeServiceConfig(service: NodeService, resolved: ResolvedServiceConfig): NodeService {
  const { Proxy: own } = service;
  const mode = own.Mode === '' ? resolved.mode : own.Mode;
  const hasExtensions = (resolved.envoyExtensions?.length ?? 0) > 0;
  const { EnvoyExtensions: _replaced, ...rest } = own;
  const config = mergeMaps(own.Config, resolved.proxyConfig);
  const merged: ConnectProxyConfig = {
    ...rest,
    Config: Object.keys(config).length === 0 ? own.Config : config,
    Expose: {
      Checks: own.Expose.Checks || resolved.expose.Checks,
      Paths: own.Expose.Paths.length > 0 ? own.Expose.Paths : [...resolved.expose.Paths],
    },
    ...mergeAccessLogs(own.AccessLogs, resolved.accessLogs),
    ...(hasExtensions && resolved.envoyExtensions !== undefined && { EnvoyExtensions: resolved.envoyExtensions }),
    MeshGateway: own.MeshGateway.Mode === '' ? { ...resolved.meshGateway } : own.MeshGateway,
    Mode: mode,
    TransparentProxy: {
      OutboundListenerPort: own.TransparentProxy.OutboundListenerPort || resolved.transparentProxy.OutboundListenerPort,
      DialedDirectly: own.TransparentProxy.DialedDirectly || resolved.transparentProxy.DialedDirectly,
    },
    MutualTLSMode: own.MutualTLSMode === '' ? resolved.mutualTlsMode : own.MutualTLSMode,
    Upstreams: mergeUpstreams(own.Upstreams, resolved, mode === 'transparent'),
  };
  return { ...service, Proxy: merged };
}

function mergeAccessLogs(
  own: ConnectProxyConfig['AccessLogs'],
  central: ResolvedServiceConfig['accessLogs'],
): { readonly AccessLogs?: NonNullable<ConnectProxyConfig['AccessLogs']> } {
  if (own === undefined) return central === undefined || isZero(central) ? {} : { AccessLogs: central };
  if (central === undefined) return { AccessLogs: own };
  return {
    AccessLogs: {
      Enabled: own.Enabled || central.Enabled,
      DisableListenerLogs: own.DisableListenerLogs || central.DisableListenerLogs,
      Type: own.Type || central.Type,
      Path: own.Path || central.Path,
      JSONFormat: own.JSONFormat || central.JSONFormat,
      TextFormat: own.TextFormat || central.TextFormat,
    },
  };
}

function mergeUpstreams(own: readonly Upstream[], resolved: ResolvedServiceConfig, isTransparent: boolean): Upstream[] {
  const seen = new Set<string>();
  const merged = own.map((local) => {
    if (local.DestinationType !== '' && local.DestinationType !== 'service') return local;
    const key = upstreamKey(local.DestinationName, local.DestinationPeer);
    seen.add(key);
    const central = Object.hasOwn(resolved.upstreamConfigs, key) ? resolved.upstreamConfigs[key] : undefined;
    return central === undefined ? local : mergeUpstream(local, central);
  });
  if (!isTransparent) return merged;
  const synthetic = Object.entries(resolved.upstreamConfigs).filter(([key]) => !seen.has(key));
  return [...merged, ...synthetic.map(([key, config]) => syntheticUpstream(key, config))];
}

function mergeUpstream(local: Upstream, central: Readonly<Record<string, unknown>>): Upstream {
  const config = mergeMaps(local.Config, central);
  // The peer's own cluster decides how its services are addressed.
  if (local.DestinationPeer !== '') {
    const protocol = local.Config?.protocol;
    if (protocol === undefined) delete config.protocol;
    else config.protocol = protocol;
  }
  delete config.mesh_gateway;
  return { ...local, Config: config, MeshGateway: local.MeshGateway.Mode === '' ? meshGatewayOf(central) : local.MeshGateway };
}

/** Transparent proxies dial what they never named: central configuration reaches them as upstreams without a listener. */
function syntheticUpstream(key: string, config: Readonly<Record<string, unknown>>): Upstream {
  const [name = WILDCARD, peer = ''] = key.split('/').toReversed();
  const base = decode(upstream, {
    DestinationName: name,
    DestinationPeer: peer,
    DestinationNamespace: 'default',
    DestinationPartition: 'default',
  });
  return { ...base, Config: { ...config }, MeshGateway: meshGatewayOf(config) };
}

function meshGatewayOf(config: Readonly<Record<string, unknown>>): { Mode: string } {
  const gateway = config.mesh_gateway;
  const mode = typeof gateway === 'object' && gateway !== null && 'Mode' in gateway ? gateway.Mode : '';
  return { Mode: typeof mode === 'string' ? mode : '' };
}

/** `own` over `below`, key by key, maps inside maps too. */
function mergeMaps(own: Readonly<Record<string, unknown>> | null, below: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const out = Object.assign(Object.create(null) as Record<string, unknown>, below);
  for (const [key, value] of Object.entries(own ?? {})) {
    const lower = out[key];
    if (isMap(value) && isMap(lower)) out[key] = mergeMaps(value, lower);
    else if (!isEmpty(value) || lower === undefined) out[key] = value;
  }
  return out;
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Go's zero values give way to what lies below them. */
function isEmpty(value: unknown): boolean {
  return (
    value === undefined || value === null || value === '' || value === 0 || value === false || (Array.isArray(value) && value.length === 0)
  );
}

function isZero(value: object): boolean {
  return Object.values(value).every(isEmpty);
}
