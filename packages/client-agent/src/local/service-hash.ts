import type { ExposePath, NodeService, ServiceAddress, ServicePort, Upstream } from '@lictor/protocol';
import { hashBoolean, hashInteger, hashJson, hashList, hashMap, hashNil, hashString, hashStruct } from './go-hash.ts';

type Proxy = NodeService['Proxy'];

/**
 * The content hash of a service as its proxy sees it: hexadecimal, without leading zeros. Equal to the one that Consul 2.x gives the same
 * service (but for the AI block), so that a proxy which moves between the two is not told of a change. Names are those of the Go client's types.
 */
export function hashService(service: NodeService): string {
  return hashStruct('AgentService', {
    Kind: hashString(service.Kind),
    ID: hashString(service.ID),
    Service: hashString(service.Service),
    Tags: hashStrings(service.Tags),
    Meta: hashMap(Object.entries(service.Meta ?? {}).map(([key, value]) => [key, hashString(value)] as const)),
    Port: hashInteger(service.Port),
    Ports: hashPorts(service.Ports),
    Address: hashString(service.Address),
    SocketPath: hashString(service.SocketPath),
    TaggedAddresses: hashMap(Object.entries(service.TaggedAddresses ?? {}).map(([key, value]) => [key, hashAddress(value)] as const)),
    Weights: hashStruct('AgentWeights', {
      Passing: hashInteger(service.Weights.Passing > 0 ? service.Weights.Passing : 1),
      Warning: hashInteger(service.Weights.Warning),
    }),
    EnableTagOverride: hashBoolean(service.EnableTagOverride),
    // The agent's own copy has no indexes, and the hash is not part of itself.
    CreateIndex: hashInteger(0),
    ModifyIndex: hashInteger(0),
    ContentHash: hashString(''),
    Proxy: service.Kind === '' ? hashNil() : hashProxy(service.Proxy),
    Connect: service.Connect.Native
      ? hashStruct('AgentServiceConnect', { Native: hashBoolean(true), SidecarService: hashNil() })
      : hashNil(),
    PeerName: hashString(service.PeerName),
    AI: service.AI === undefined ? hashNil() : hashJson(service.AI),
  }).toString(16);
}

function hashProxy(proxy: Proxy): bigint {
  return hashStruct('AgentServiceConnectProxyConfig', {
    EnvoyExtensions: hashList((proxy.EnvoyExtensions ?? []).map(hashJson)),
    DestinationServiceName: hashString(proxy.DestinationServiceName),
    DestinationServiceID: hashString(proxy.DestinationServiceID),
    LocalServiceAddress: hashString(proxy.LocalServiceAddress),
    LocalServicePort: hashInteger(proxy.LocalServicePort),
    LocalServicePorts: hashPorts(proxy.LocalServicePorts),
    LocalServiceSocketPath: hashString(proxy.LocalServiceSocketPath),
    Mode: hashString(proxy.Mode),
    TransparentProxy: hashTransparentProxy(proxy.TransparentProxy),
    Config: hashJson(proxy.Config ?? {}),
    Upstreams: hashList(proxy.Upstreams.map(hashUpstream)),
    MeshGateway: hashMeshGateway(proxy.MeshGateway),
    Expose: hashStruct('ExposeConfig', {
      Checks: hashBoolean(proxy.Expose.Checks),
      Paths: hashList(proxy.Expose.Paths.map(hashExposePath)),
    }),
    AccessLogs: hashAccessLogs(proxy.AccessLogs),
  });
}

function hashUpstream(upstream: Upstream): bigint {
  return hashStruct('Upstream', {
    DestinationType: hashString(upstream.DestinationType),
    DestinationPartition: hashString(upstream.DestinationPartition),
    DestinationNamespace: hashString(upstream.DestinationNamespace),
    DestinationPeer: hashString(upstream.DestinationPeer),
    DestinationName: hashString(upstream.DestinationName),
    DestinationPort: hashString(upstream.DestinationPort),
    Datacenter: hashString(upstream.Datacenter),
    LocalBindAddress: hashString(upstream.LocalBindAddress),
    LocalBindPort: hashInteger(upstream.LocalBindPort),
    LocalBindSocketPath: hashString(upstream.LocalBindSocketPath),
    LocalBindSocketMode: hashString(upstream.LocalBindSocketMode),
    Config: hashJson(upstream.Config ?? {}),
    MeshGateway: hashMeshGateway(upstream.MeshGateway),
    CentrallyConfigured: hashBoolean(false),
  });
}

function hashExposePath(path: ExposePath): bigint {
  return hashStruct('ExposePath', {
    ListenerPort: hashInteger(path.ListenerPort),
    Path: hashString(path.Path),
    LocalPathPort: hashInteger(path.LocalPathPort),
    Protocol: hashString(path.Protocol),
    ParsedFromCheck: hashBoolean(path.ParsedFromCheck),
  });
}

function hashTransparentProxy(config: Proxy['TransparentProxy']): bigint {
  if (config.OutboundListenerPort === 0 && !config.DialedDirectly) return hashNil();
  return hashStruct('TransparentProxyConfig', {
    OutboundListenerPort: hashInteger(config.OutboundListenerPort),
    DialedDirectly: hashBoolean(config.DialedDirectly),
  });
}

function hashAccessLogs(logs: Proxy['AccessLogs']): bigint {
  if (logs === undefined || Object.values(logs).every((value) => value === '' || value === false)) return hashNil();
  return hashStruct('AccessLogsConfig', {
    Enabled: hashBoolean(logs.Enabled),
    DisableListenerLogs: hashBoolean(logs.DisableListenerLogs),
    Type: hashString(logs.Type),
    Path: hashString(logs.Path),
    JSONFormat: hashString(logs.JSONFormat),
    TextFormat: hashString(logs.TextFormat),
  });
}

function hashMeshGateway(gateway: { readonly Mode: string }): bigint {
  return hashStruct('MeshGatewayConfig', { Mode: hashString(gateway.Mode) });
}

function hashAddress(address: ServiceAddress): bigint {
  return hashStruct('ServiceAddress', { Address: hashString(address.Address), Port: hashInteger(address.Port) });
}

function hashPorts(ports: readonly ServicePort[] | undefined): bigint {
  const items = (ports ?? []).map((port) =>
    hashStruct('ServicePort', { Name: hashString(port.Name), Port: hashInteger(port.Port), Default: hashBoolean(port.Default) }),
  );
  return hashList(items);
}

function hashStrings(values: readonly string[]): bigint {
  return hashList(values.map(hashString));
}
