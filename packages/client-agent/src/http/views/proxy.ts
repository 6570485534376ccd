import type { NodeService, Upstream } from '@lictor/protocol';

type Proxy = NodeService['Proxy'];

/** The proxy block as the catalog shows it (structs.ConnectProxyConfig): Mode, MeshGateway and Expose always, the rest when set. */
export function catalogProxyJson(proxy: Proxy): object {
  return {
    EnvoyExtensions: nonEmpty(proxy.EnvoyExtensions),
    DestinationServiceName: proxy.DestinationServiceName || undefined,
    DestinationServiceID: proxy.DestinationServiceID || undefined,
    LocalServiceAddress: proxy.LocalServiceAddress || undefined,
    LocalServicePort: proxy.LocalServicePort || undefined,
    LocalServicePorts: nonEmpty(proxy.LocalServicePorts),
    LocalServiceSocketPath: proxy.LocalServiceSocketPath || undefined,
    Mode: proxy.Mode,
    Config: nonEmptyRecord(proxy.Config),
    Upstreams: proxy.Upstreams.length === 0 ? undefined : proxy.Upstreams.map(catalogUpstreamJson),
    MeshGateway: meshGatewayJson(proxy.MeshGateway),
    Expose: exposeJson(proxy.Expose, true),
    TransparentProxy: transparentProxyJson(proxy.TransparentProxy),
    AccessLogs: accessLogsJson(proxy.AccessLogs),
  };
}

/** The proxy block as agent endpoints show it (api.AgentServiceConnectProxyConfig). */
export function agentProxyJson(proxy: Proxy): object {
  return {
    EnvoyExtensions: nonEmpty(proxy.EnvoyExtensions),
    DestinationServiceName: proxy.DestinationServiceName || undefined,
    DestinationServiceID: proxy.DestinationServiceID || undefined,
    LocalServiceAddress: proxy.LocalServiceAddress || undefined,
    LocalServicePort: proxy.LocalServicePort || undefined,
    LocalServicePorts: nonEmpty(proxy.LocalServicePorts),
    LocalServiceSocketPath: proxy.LocalServiceSocketPath || undefined,
    Mode: proxy.Mode || undefined,
    TransparentProxy: transparentProxyJson(proxy.TransparentProxy),
    Config: nonEmptyRecord(proxy.Config),
    Upstreams: proxy.Upstreams.length === 0 ? undefined : proxy.Upstreams.map(agentUpstreamJson),
    MeshGateway: meshGatewayJson(proxy.MeshGateway),
    Expose: exposeJson(proxy.Expose, false),
    AccessLogs: accessLogsJson(proxy.AccessLogs),
  };
}

function catalogUpstreamJson(upstream: Upstream): object {
  return { ...upstreamJson(upstream), DestinationType: upstream.DestinationType, Datacenter: upstream.Datacenter };
}

function agentUpstreamJson(upstream: Upstream): object {
  return upstreamJson(upstream);
}

function upstreamJson(upstream: Upstream): object {
  return {
    DestinationType: upstream.DestinationType || undefined,
    DestinationPartition: upstream.DestinationPartition || undefined,
    DestinationNamespace: upstream.DestinationNamespace || undefined,
    DestinationPeer: upstream.DestinationPeer || undefined,
    DestinationName: upstream.DestinationName,
    DestinationPort: upstream.DestinationPort || undefined,
    Datacenter: upstream.Datacenter || undefined,
    LocalBindAddress: upstream.LocalBindAddress || undefined,
    LocalBindPort: upstream.LocalBindPort || undefined,
    LocalBindSocketPath: upstream.LocalBindSocketPath || undefined,
    LocalBindSocketMode: upstream.LocalBindSocketMode || undefined,
    Config: nonEmptyRecord(upstream.Config),
    MeshGateway: meshGatewayJson(upstream.MeshGateway),
  };
}

function meshGatewayJson(gateway: { readonly Mode: string }): object {
  return { Mode: gateway.Mode || undefined };
}

function exposeJson(expose: Proxy['Expose'], omitFalse: boolean): object {
  return {
    Checks: expose.Checks || undefined,
    Paths:
      expose.Paths.length === 0
        ? undefined
        : expose.Paths.map((path) => ({
            ListenerPort: path.ListenerPort || undefined,
            Path: path.Path || undefined,
            LocalPathPort: path.LocalPathPort || undefined,
            Protocol: path.Protocol || undefined,
            ParsedFromCheck: path.ParsedFromCheck || (omitFalse ? undefined : false),
          })),
  };
}

function transparentProxyJson(config: Proxy['TransparentProxy']): object | undefined {
  if (config.OutboundListenerPort === 0 && !config.DialedDirectly) return undefined;
  return { OutboundListenerPort: config.OutboundListenerPort || undefined, DialedDirectly: config.DialedDirectly || undefined };
}

function accessLogsJson(logs: Proxy['AccessLogs']): object | undefined {
  if (logs === undefined || Object.values(logs).every((value) => value === '' || value === false)) return undefined;
  return {
    Enabled: logs.Enabled || undefined,
    DisableListenerLogs: logs.DisableListenerLogs || undefined,
    Type: logs.Type || undefined,
    Path: logs.Path || undefined,
    JSONFormat: logs.JSONFormat || undefined,
    TextFormat: logs.TextFormat || undefined,
  };
}

export function nonEmpty<T>(list: readonly T[] | undefined): readonly T[] | undefined {
  return list === undefined || list.length === 0 ? undefined : list;
}

export function nonEmptyRecord<T>(record: Readonly<Record<string, T>> | null | undefined): Readonly<Record<string, T>> | undefined {
  if (record === null || record === undefined) return undefined;
  for (const _ in record) return record;
  return undefined;
}
