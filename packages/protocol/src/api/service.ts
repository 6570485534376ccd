import {
  boolean,
  duration,
  type Infer,
  integer,
  lazy,
  list,
  nullable,
  object,
  optional,
  record,
  type Schema,
  string,
  unknown,
} from '../schema/index.ts';
import type { RaftIndex } from './common.ts';
import { type ServiceAi, serviceAi } from './service-ai.ts';

const MAX_PORT = 65_535;

export const SERVICE_KINDS = ['', 'connect-proxy', 'mesh-gateway', 'terminating-gateway', 'ingress-gateway', 'api-gateway'] as const;
export type ServiceKind = (typeof SERVICE_KINDS)[number];

export const serviceAddress = object({ Address: string(), Port: integer(0, MAX_PORT) });
export type ServiceAddress = Infer<typeof serviceAddress>;

/** DNS SRV weights by health state. */
export const weights = object({ Passing: integer(), Warning: integer() });
export type Weights = Infer<typeof weights>;

/** One named port of a multi-port service (Consul 2.x). */
export const servicePort = object({ Name: string(), Port: integer(), Default: boolean() });
export type ServicePort = Infer<typeof servicePort>;

export const meshGatewayConfig = object({ Mode: string() });
export type MeshGatewayConfig = Infer<typeof meshGatewayConfig>;

export const exposePath = object({
  ListenerPort: integer(),
  Path: string(),
  LocalPathPort: integer(),
  Protocol: string(),
  ParsedFromCheck: boolean(),
});
export type ExposePath = Infer<typeof exposePath>;

export const exposeConfig = object({ Checks: boolean(), Paths: list(exposePath) });
export type ExposeConfig = Infer<typeof exposeConfig>;

export const upstream = object({
  /** `service` or `prepared_query`. */
  DestinationType: string(),
  DestinationNamespace: string(),
  DestinationPartition: string(),
  DestinationPeer: string(),
  DestinationName: string(),
  /** A named port of a multi-port destination (Consul 2.x). */
  DestinationPort: string(),
  Datacenter: string(),
  LocalBindAddress: string(),
  LocalBindPort: integer(0, MAX_PORT),
  LocalBindSocketPath: string(),
  LocalBindSocketMode: string(),
  /** Opaque to the control plane. */
  Config: nullable(record(unknown())),
  MeshGateway: meshGatewayConfig,
});
export type Upstream = Infer<typeof upstream>;

export const transparentProxyConfig = object({ OutboundListenerPort: integer(0, MAX_PORT), DialedDirectly: boolean() });

export const accessLogsConfig = object({
  Enabled: boolean(),
  DisableListenerLogs: boolean(),
  Type: string(),
  Path: string(),
  JSONFormat: string(),
  TextFormat: string(),
});

/** The proxy part of a registration with Kind `connect-proxy` (or a gateway). */
export const connectProxyConfig = object({
  DestinationServiceName: string(),
  DestinationServiceID: string(),
  LocalServiceAddress: string(),
  /** A sidecar gets that of its service, which Consul takes whatever it is. */
  LocalServicePort: integer(),
  /** Named ports of a multi-port local service (Consul 2.x). */
  LocalServicePorts: optional(list(servicePort)),
  LocalServiceSocketPath: string(),
  Mode: string(),
  /** Opaque to the control plane. */
  Config: nullable(record(unknown())),
  Upstreams: list(upstream),
  MeshGateway: meshGatewayConfig,
  Expose: exposeConfig,
  TransparentProxy: transparentProxyConfig,
  MutualTLSMode: string(),
  AccessLogs: optional(accessLogsConfig),
  EnvoyExtensions: optional(list(record(unknown()))),
});
export type ConnectProxyConfig = Infer<typeof connectProxyConfig>;

export const CHECK_STATUSES = ['passing', 'warning', 'critical', 'maintenance'] as const;
/** `maintenance` is an aggregate only: a stored check is passing, warning or critical. */
export type CheckStatus = (typeof CHECK_STATUSES)[number];

/** A check as users define it, in files (snake_case) and over the API. Durations in ms. */
export const checkDefinition = object(
  {
    ID: string(),
    CheckID: string(),
    Name: string(),
    Notes: string(),
    ServiceID: string(),
    Status: string(),
    Token: string(),
    ScriptArgs: list(string()),
    HTTP: string(),
    H2PING: string(),
    H2PingUseTLS: optional(boolean(true)),
    Header: record(list(string())),
    Method: string(),
    Body: string(),
    DisableRedirects: boolean(),
    TCP: string(),
    TCPUseTLS: boolean(),
    UDP: string(),
    Interval: duration(),
    Timeout: duration(),
    TTL: duration(),
    AliasNode: string(),
    AliasService: string(),
    DockerContainerID: string(),
    Shell: string(),
    GRPC: string(),
    GRPCUseTLS: boolean(),
    OSService: string(),
    /** The session whose end turns the check critical (Consul 2.x). */
    SessionName: string(),
    TLSServerName: string(),
    TLSSkipVerify: boolean(),
    SuccessBeforePassing: integer(),
    FailuresBeforeWarning: integer(),
    FailuresBeforeCritical: integer(),
    DeregisterCriticalServiceAfter: duration(),
    OutputMaxSize: integer(),
  },
  { aliases: { ScriptArgs: ['Args'], DockerContainerID: ['docker_container_id'] } },
);
export type CheckDefinition = Infer<typeof checkDefinition>;

/** A service as users define it, in files (snake_case) and over the API (CamelCase): docs/reference/config.md. */
export const serviceDefinition: Schema<ServiceDefinition> = lazy(() =>
  object({
    Kind: string() as Schema<ServiceKind>,
    ID: string(),
    Name: string(),
    Tags: list(string()),
    Address: string(),
    TaggedAddresses: record(serviceAddress),
    Meta: record(string()),
    Port: integer(),
    Ports: list(servicePort),
    SocketPath: string(),
    Check: optional(checkDefinition),
    Checks: list(checkDefinition),
    Weights: optional(weights),
    Token: string(),
    EnableTagOverride: boolean(),
    Proxy: optional(connectProxyConfig),
    Connect: optional(object({ Native: boolean(), SidecarService: optional(serviceDefinition) })),
    Locality: optional(record(string())),
    Namespace: string(),
    Partition: string(),
    /** Role of an AI workload (Consul 2.x); data on the catalog only. */
    AI: optional(serviceAi),
  }),
);
export interface ServiceDefinition {
  Kind: ServiceKind;
  ID: string;
  Name: string;
  Tags: string[];
  Address: string;
  TaggedAddresses: Record<string, ServiceAddress>;
  Meta: Record<string, string>;
  Port: number;
  Ports: ServicePort[];
  SocketPath: string;
  Check?: CheckDefinition;
  Checks: CheckDefinition[];
  Weights?: Weights;
  Token: string;
  EnableTagOverride: boolean;
  Proxy?: ConnectProxyConfig;
  Connect?: { Native: boolean; SidecarService?: ServiceDefinition };
  Locality?: Record<string, string>;
  Namespace: string;
  Partition: string;
  AI?: ServiceAi;
}

/** A service instance as agents keep it and the catalog stores it: complete, every default filled in. */
export interface NodeService extends RaftIndex {
  readonly Kind: ServiceKind;
  readonly ID: string;
  readonly Service: string;
  readonly Tags: readonly string[];
  readonly Address: string;
  readonly TaggedAddresses: Readonly<Record<string, ServiceAddress>> | null;
  readonly Meta: Readonly<Record<string, string>> | null;
  readonly Port: number;
  readonly Ports?: readonly ServicePort[];
  readonly SocketPath: string;
  readonly Weights: Weights;
  readonly EnableTagOverride: boolean;
  readonly Proxy: ConnectProxyConfig;
  readonly Connect: { readonly Native: boolean };
  readonly Locality?: Readonly<Record<string, string>>;
  readonly AI?: ServiceAi;
  readonly PeerName: string;
  /** True for a sidecar that the agent registered for its parent: it leaves with the parent. */
  readonly LocallyRegisteredAsSidecar?: boolean;
}
