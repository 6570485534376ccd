import { at, BOOL, type FilterType, fields, INT, STRING, STRING_LIST, STRING_MAP } from './field-type.ts';

const serviceAddress = fields({ Address: STRING, Port: INT });
const weights = fields({ Passing: INT, Warning: INT });
const meshGateway = fields({ Mode: STRING });
const addressMap = { kind: 'map', value: serviceAddress } as const;

const upstream = fields({
  DestinationType: STRING,
  DestinationNamespace: STRING,
  DestinationPartition: STRING,
  DestinationPeer: STRING,
  DestinationName: STRING,
  Datacenter: STRING,
  LocalBindAddress: STRING,
  LocalBindPort: INT,
  LocalBindSocketPath: STRING,
  LocalBindSocketMode: STRING,
  MeshGateway: meshGateway,
});

const exposePath = fields({ ListenerPort: INT, Path: STRING, LocalPathPort: INT, Protocol: STRING, ParsedFromCheck: BOOL });
const expose = fields({ Checks: BOOL, Paths: { kind: 'list', item: exposePath } });
const envoyExtension = fields({ Name: STRING, Required: BOOL, ConsulVersion: STRING, EnvoyVersion: STRING });
const transparentProxy = fields({ OutboundListenerPort: INT, DialedDirectly: BOOL });
const accessLogs = fields({ Enabled: BOOL, DisableListenerLogs: BOOL, Type: STRING, Path: STRING, JSONFormat: STRING, TextFormat: STRING });

const proxy = fields({
  EnvoyExtensions: { kind: 'list', item: envoyExtension },
  DestinationServiceName: STRING,
  DestinationServiceID: STRING,
  LocalServiceAddress: STRING,
  LocalServicePort: INT,
  LocalServiceSocketPath: STRING,
  Upstreams: { kind: 'list', item: upstream },
  MeshGateway: meshGateway,
  Expose: expose,
  TransparentProxy: transparentProxy,
  Mode: STRING,
  AccessLogs: accessLogs,
});
const connect = fields({ Native: BOOL });

export const nodeFilterType: FilterType = fields({
  ID: STRING,
  Node: STRING,
  Partition: STRING,
  PeerName: STRING,
  Address: STRING,
  Datacenter: STRING,
  TaggedAddresses: STRING_MAP,
  Meta: STRING_MAP,
});

/** NodeService: /v1/agent/services, and the entries of /v1/catalog/node/:node. */
export const nodeServiceFilterType: FilterType = fields({
  Kind: STRING,
  ID: STRING,
  Service: STRING,
  Tags: STRING_LIST,
  Address: STRING,
  TaggedAddresses: addressMap,
  Meta: STRING_MAP,
  Port: INT,
  Ports: { kind: 'list', item: fields({ Name: STRING, Port: INT, Default: BOOL }) },
  SocketPath: STRING,
  Weights: weights,
  EnableTagOverride: BOOL,
  Proxy: proxy,
  Connect: connect,
  /** Its name in Consul's list of fields. */
  ServiceConnect: at(connect, 'Connect'),
  PeerName: STRING,
});
/** The agent's own services have the same fields. */
export const agentServiceFilterType: FilterType = nodeServiceFilterType;

/** ServiceInstance of the RPC contract under the flat names of /v1/catalog/service/:name; also /v1/catalog/services. */
export const serviceInstanceFilterType: FilterType = fields({
  ID: at(STRING, 'node', 'ID'),
  Node: at(STRING, 'node', 'Node'),
  Address: at(STRING, 'node', 'Address'),
  Datacenter: at(STRING, 'node', 'Datacenter'),
  TaggedAddresses: at(STRING_MAP, 'node', 'TaggedAddresses'),
  NodeMeta: at(STRING_MAP, 'node', 'Meta'),
  ServiceKind: at(STRING, 'service', 'Kind'),
  ServiceID: at(STRING, 'service', 'ID'),
  ServiceName: at(STRING, 'service', 'Service'),
  ServiceTags: at(STRING_LIST, 'service', 'Tags'),
  ServiceAddress: at(STRING, 'service', 'Address'),
  ServiceTaggedAddresses: at(addressMap, 'service', 'TaggedAddresses'),
  ServiceMeta: at(STRING_MAP, 'service', 'Meta'),
  ServicePort: at(INT, 'service', 'Port'),
  ServiceSocketPath: at(STRING, 'service', 'SocketPath'),
  ServiceWeights: at(weights, 'service', 'Weights'),
  ServiceEnableTagOverride: at(BOOL, 'service', 'EnableTagOverride'),
  ServiceProxy: at(proxy, 'service', 'Proxy'),
  ServiceConnect: at(connect, 'service', 'Connect'),
  PeerName: at(STRING, 'service', 'PeerName'),
});
export const catalogServicesFilterType: FilterType = serviceInstanceFilterType;

export const healthCheckFilterType: FilterType = fields({
  Node: STRING,
  CheckID: STRING,
  Name: STRING,
  Status: STRING,
  Notes: STRING,
  Output: STRING,
  ServiceID: STRING,
  ServiceName: STRING,
  ServiceTags: STRING_LIST,
  Type: STRING,
  Interval: STRING,
  Timeout: STRING,
  ExposedPort: INT,
  PeerName: STRING,
});
export const agentCheckFilterType: FilterType = healthCheckFilterType;

export const checkServiceNodeFilterType: FilterType = fields({
  Node: nodeFilterType,
  Service: nodeServiceFilterType,
  Checks: { kind: 'list', item: healthCheckFilterType },
});

export const intentionFilterType: FilterType = fields({
  ID: STRING,
  Description: STRING,
  SourcePeer: STRING,
  SourceSamenessGroup: STRING,
  SourcePartition: STRING,
  SourceNS: STRING,
  SourceName: STRING,
  DestinationPartition: STRING,
  DestinationNS: STRING,
  DestinationName: STRING,
  SourceType: STRING,
  Action: STRING,
  Precedence: INT,
  Meta: STRING_MAP,
});

const upstreamLimits = fields({ MaxConnections: INT, MaxPendingRequests: INT, MaxConcurrentRequests: INT });
const upstreamConfig = fields({
  Name: STRING,
  Peer: STRING,
  EnvoyListenerJSON: STRING,
  EnvoyClusterJSON: STRING,
  Protocol: STRING,
  ConnectTimeoutMs: INT,
  Limits: upstreamLimits,
  PassiveHealthCheck: fields({
    Interval: INT,
    MaxFailures: INT,
    EnforcingConsecutive5xx: INT,
    MaxEjectionPercent: INT,
    BaseEjectionTime: INT,
  }),
  MeshGateway: meshGateway,
  BalanceOutboundConnections: STRING,
});

export const serviceDefaultsFilterType: FilterType = fields({
  Kind: STRING,
  Name: STRING,
  Protocol: STRING,
  Mode: STRING,
  TransparentProxy: transparentProxy,
  MutualTLSMode: STRING,
  MeshGateway: meshGateway,
  Expose: expose,
  ExternalSNI: STRING,
  UpstreamConfig: fields({ Overrides: { kind: 'list', item: upstreamConfig }, Defaults: upstreamConfig }),
  Destination: fields({ Addresses: STRING_LIST, Port: INT }),
  MaxInboundConnections: INT,
  LocalConnectTimeoutMs: INT,
  LocalRequestTimeoutMs: INT,
  BalanceInboundConnections: STRING,
  EnvoyExtensions: { kind: 'list', item: envoyExtension },
  Meta: STRING_MAP,
});

/** /v1/agent/members. */
export const agentMemberFilterType: FilterType = fields({
  Name: STRING,
  Addr: STRING,
  Port: INT,
  Tags: STRING_MAP,
  Status: INT,
  ProtocolMin: INT,
  ProtocolMax: INT,
  ProtocolCur: INT,
  DelegateMin: INT,
  DelegateMax: INT,
  DelegateCur: INT,
});
