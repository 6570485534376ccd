import type {
  AutopilotConfiguration,
  AutopilotFields,
  AutopilotState,
  CaConfiguration,
  CaConfigurationRequest,
  CaRoots,
  CheckServiceNode,
  CheckStatus,
  ConfigEntry,
  CoordinateUpdateRequest,
  DeregisterRequest,
  FiredEvent,
  GatewayService,
  HealthCheck,
  Intention,
  IntentionRequest,
  IssuedCert,
  KeyringOperation,
  KeyringReport,
  KvEntry,
  KvOperation,
  KvWrite,
  Node,
  NodeCoordinate,
  NodeServices,
  PreparedQuery,
  PreparedQueryDefinition,
  PreparedQueryExecuteRequest,
  PreparedQueryRemoteRequest,
  PreparedQueryResult,
  RaftStats,
  RegisterRequest,
  Session,
  SessionCreateRequest,
  SignedAgentCert,
  TxnOperation,
  TxnReply,
  NodeService,
  Coordinate,
} from '../api/index.ts';
import type { CallOptions, QueryMeta } from './query.ts';

/** Arguments shared by lists of nodes and instances. `filter` runs after ACL filtering. */
export interface CatalogFilter {
  /** A filter expression (`Meta.env == prod`). */
  readonly filter?: string;
  readonly nodeMeta?: Readonly<Record<string, string>>;
  /** Sort by round-trip time from this node; `_agent` is resolved by the agent before the call. */
  readonly near?: string;
}

export interface ServiceQuery extends CatalogFilter {
  readonly service: string;
  /** All must be present, without regard to case. */
  readonly tags?: readonly string[];
  /** Mesh-capable instances that stand for the service: its proxies and native instances. */
  readonly connect?: boolean;
  /** Ingress gateways of the service. */
  readonly ingress?: boolean;
  /** Fill in central configuration (proxy-defaults, service-defaults). */
  readonly mergeCentralConfig?: boolean;
  readonly peer?: string;
  /** Health reads only: drop instances with a check that is not passing. */
  readonly passingOnly?: boolean;
}

/** A service instance with its node, as /v1/catalog/service/:name shows it. */
export interface ServiceInstance {
  readonly node: Node;
  readonly service: NodeService;
}

export interface ManualIpsReply {
  /** False for a service without a virtual IP: nothing was changed then. */
  readonly found: boolean;
  /** Services that lost one of the addresses. */
  readonly unassignedFrom: readonly string[];
}

export interface AddressOwner {
  readonly kind: 'node' | 'service';
  readonly name: string;
}

/** The effective central configuration of one service (consul-facts E020). */
export interface ResolvedServiceConfig {
  readonly proxyConfig: Readonly<Record<string, unknown>>;
  /** By upstream name. */
  readonly upstreamConfigs: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly meshGateway: { readonly Mode: string };
  readonly expose: NodeService['Proxy']['Expose'];
  readonly mode: string;
  readonly transparentProxy: NodeService['Proxy']['TransparentProxy'];
  readonly mutualTlsMode: string;
  readonly accessLogs?: NodeService['Proxy']['AccessLogs'];
  readonly envoyExtensions?: NodeService['Proxy']['EnvoyExtensions'];
}

export interface IntentionCheckReply {
  readonly allowed: boolean;
}

/**
 * What an agent can ask of the servers, method by method: `read` methods may block and answer with a `QueryMeta`, `write`
 * methods go through consensus and answer the applied index. An in-process server, a gRPC stream and a test double all
 * implement `ServerPort` over this one table.
 */
export interface RpcContract {
  // catalog
  'Catalog.Register': Write<RegisterRequest, void>;
  'Catalog.Deregister': Write<DeregisterRequest, void>;
  'Catalog.ListDatacenters': Read<object, readonly string[]>;
  'Catalog.ListNodes': Read<CatalogFilter, readonly Node[]>;
  /** Service name to the union of its tags. */
  'Catalog.ListServices': Read<CatalogFilter, Readonly<Record<string, readonly string[]>>>;
  'Catalog.ServiceNodes': Read<ServiceQuery, readonly ServiceInstance[]>;
  /** Null when the node is unknown. */
  'Catalog.NodeServices': Read<CatalogFilter & { readonly node: string; readonly mergeCentralConfig?: boolean }, NodeServices | null>;
  /** By service, then port. */
  'Catalog.GatewayServices': Read<{ readonly gateway: string }, readonly GatewayService[]>;
  /** The virtual IP of a service in the mesh; empty for one without. */
  'Catalog.VirtualIp': Read<{ readonly service: string }, string>;
  /** Gives a service further virtual IPs, chosen by the operator, and takes them from whoever had them. */
  'Catalog.AssignManualIps': Write<{ readonly service: string; readonly addresses: readonly string[] }, ManualIpsReply>;
  /** Who is at an IP address: a node, else a service whose instance has that address of its own. */
  'Catalog.AddressOwner': Read<{ readonly address: string }, AddressOwner | null>;

  // health
  'Health.NodeChecks': Read<CatalogFilter & { readonly node: string }, readonly HealthCheck[]>;
  'Health.ServiceChecks': Read<CatalogFilter & { readonly service: string }, readonly HealthCheck[]>;
  'Health.ChecksInState': Read<CatalogFilter & { readonly state: CheckStatus | 'any' }, readonly HealthCheck[]>;
  'Health.ServiceNodes': Read<ServiceQuery, readonly CheckServiceNode[]>;

  // kv, sessions, transactions
  'KVS.Get': Read<{ readonly key: string }, KvEntry | null>;
  'KVS.List': Read<{ readonly prefix: string }, readonly KvEntry[]>;
  /** Keys under a prefix, cut after the first separator behind it. */
  'KVS.ListKeys': Read<{ readonly prefix: string; readonly separator: string }, readonly string[]>;
  /** False when a compare-and-set, lock or unlock did not apply. */
  'KVS.Apply': Write<{ readonly operation: KvOperation; readonly entry: KvWrite }, boolean>;
  'Session.Create': Write<SessionCreateRequest, string>;
  'Session.Destroy': Write<{ readonly id: string }, void>;
  /** Null when the session is unknown. */
  'Session.Renew': Write<{ readonly id: string }, Session | null>;
  'Session.Get': Read<{ readonly id: string }, Session | null>;
  'Session.List': Read<object, readonly Session[]>;
  'Session.NodeSessions': Read<{ readonly node: string }, readonly Session[]>;
  'Txn.Apply': Write<{ readonly operations: readonly TxnOperation[] }, TxnReply>;
  'Txn.Read': Read<{ readonly operations: readonly TxnOperation[] }, TxnReply>;

  // coordinates
  'Coordinate.Update': Write<CoordinateUpdateRequest, void>;
  'Coordinate.ListNodes': Read<object, readonly NodeCoordinate[]>;
  'Coordinate.Node': Read<{ readonly node: string }, readonly NodeCoordinate[]>;
  'Coordinate.ListDatacenters': Read<
    object,
    readonly {
      readonly Datacenter: string;
      readonly AreaID: string;
      readonly Coordinates: readonly { readonly Node: string; readonly Coord: Coordinate }[];
    }[]
  >;

  // user events
  /** Tells all agents of the datacenter; by any server. One that is told twice counts once, so it can be repeated like a read. */
  'Event.Fire': Read<FiredEvent, null>;

  // config entries and intentions
  /** The body as decoded from JSON or HCL; normalised, validated and authorised by kind here. False: a compare-and-set did not apply. */
  'ConfigEntry.Apply': Write<{ readonly entry: Readonly<Record<string, unknown>>; readonly cas?: number }, boolean>;
  'ConfigEntry.Delete': Write<{ readonly kind: string; readonly name: string; readonly cas?: number }, boolean>;
  'ConfigEntry.Get': Read<{ readonly kind: string; readonly name: string }, ConfigEntry | null>;
  'ConfigEntry.List': Read<{ readonly kind: string; readonly filter?: string }, readonly ConfigEntry[]>;
  'ConfigEntry.ResolveServiceConfig': Read<{ readonly service: string; readonly upstreams: readonly string[] }, ResolvedServiceConfig>;
  /** Legacy id API; answers the new intention's id. */
  'Intention.Create': Write<IntentionRequest, string>;
  'Intention.Update': Write<{ readonly id: string; readonly intention: IntentionRequest }, void>;
  'Intention.Delete': Write<{ readonly id: string }, void>;
  'Intention.UpsertExact': Write<{ readonly source: string; readonly destination: string; readonly intention: IntentionRequest }, void>;
  'Intention.DeleteExact': Write<{ readonly source: string; readonly destination: string }, void>;
  'Intention.List': Read<{ readonly filter?: string }, readonly Intention[]>;
  'Intention.Get': Read<{ readonly id: string }, Intention | null>;
  'Intention.GetExact': Read<{ readonly source: string; readonly destination: string }, Intention | null>;
  /** One list per name, highest precedence first. */
  'Intention.Match': Read<{ readonly by: 'source' | 'destination'; readonly names: readonly string[] }, readonly (readonly Intention[])[]>;
  'Intention.Check': Read<{ readonly source: string; readonly destination: string; readonly sourceType?: string }, IntentionCheckReply>;

  // prepared queries
  /** Answers the new query's id. */
  'PreparedQuery.Create': Write<PreparedQueryDefinition, string>;
  /** Which one, `ID` says. */
  'PreparedQuery.Update': Write<PreparedQueryDefinition, void>;
  'PreparedQuery.Delete': Write<{ readonly id: string }, void>;
  /** @throws LictorError `not-found` */
  'PreparedQuery.Get': Read<{ readonly id: string }, PreparedQuery>;
  'PreparedQuery.List': Read<object, readonly PreparedQuery[]>;
  /** What would be executed: a template is filled in. It does not block. @throws LictorError `not-found` */
  'PreparedQuery.Explain': Read<PreparedQueryExecuteRequest, PreparedQuery>;
  /** It does not block. @throws LictorError `not-found` */
  'PreparedQuery.Execute': Read<PreparedQueryExecuteRequest, PreparedQueryResult>;
  /** For servers of other datacenters: without failover. */
  'PreparedQuery.ExecuteRemote': Read<PreparedQueryRemoteRequest, PreparedQueryResult>;

  // connect CA
  'ConnectCA.Roots': Read<object, CaRoots>;
  'ConnectCA.ConfigurationGet': Read<object, CaConfiguration>;
  'ConnectCA.ConfigurationSet': Write<CaConfigurationRequest, void>;
  /** Signs a PEM certificate request; the reply has no private key. */
  'ConnectCA.Sign': Write<{ readonly csr: string }, IssuedCert>;

  /** A certificate for a client agent that has none, or none that is valid. The only call that servers take from whoever shows no certificate. */
  'AutoEncrypt.Sign': Write<{ readonly csr: string; readonly datacenter: string }, SignedAgentCert>;

  // status, operator, snapshot
  /** `ip:port`, empty without a leader. */
  'Status.Leader': Read<object, string>;
  'Status.Peers': Read<object, readonly string[]>;
  /** Each server answers for itself. */
  'Status.RaftStats': Read<object, RaftStats>;
  'Operator.RaftGetConfiguration': Read<object, RaftConfiguration>;
  /** One of the two. */
  'Operator.RaftRemovePeer': Write<{ readonly id?: string; readonly address?: string }, void>;
  /** An empty id: whichever server has most of the log. */
  'Operator.RaftTransferLeader': Write<{ readonly id: string }, void>;
  'Operator.AutopilotGetConfiguration': Read<object, AutopilotConfiguration>;
  /** False: the ModifyIndex is not `cas` any more. */
  'Operator.AutopilotSetConfiguration': Write<{ readonly config: AutopilotFields; readonly cas?: number }, boolean>;
  'Operator.AutopilotState': Read<object, AutopilotState>;
  'Operator.Usage': Read<object, Usage>;
  /**
   * Of the LAN pool, and with `wan` of the WAN pool before it. Answered by any server for its own datacenter. Every operation can be repeated
   * without harm, so it counts as a read. `relays`: members through which each answer goes besides.
   */
  'Operator.Keyring': Read<
    { readonly operation: KeyringOperation; readonly key: string; readonly relays: number; readonly wan: boolean },
    readonly KeyringReport[]
  >;
  /** The whole archive: gzip of a tar, format of consul-facts O007. */
  'Snapshot.Save': Read<object, Uint8Array>;
  'Snapshot.Restore': Write<{ readonly archive: Uint8Array }, void>;
}

export interface RaftConfiguration {
  readonly Servers: readonly {
    readonly ID: string;
    readonly Node: string;
    readonly Address: string;
    readonly Leader: boolean;
    readonly ProtocolVersion: string;
    readonly Voter: boolean;
    readonly LastIndex: number;
  }[];
  readonly Index: number;
}

export interface Usage {
  readonly Nodes: number;
  readonly Services: number;
  readonly ServiceInstances: number;
  readonly ConnectServiceInstances: Readonly<Record<string, number>>;
  readonly BillableServiceInstances: number;
}

export interface Read<Request, Value> {
  readonly kind: 'read';
  readonly request: Request;
  readonly reply: ReadReply<Value>;
}

export interface Write<Request, Value> {
  readonly kind: 'write';
  readonly request: Request;
  readonly reply: WriteReply<Value>;
}

/** Identical blocked reads get the very same `value` object, so that callers may serialise it once and keep the bytes by identity. */
export interface ReadReply<Value> {
  readonly meta: QueryMeta;
  readonly value: Value;
}

export interface WriteReply<Value> {
  /** The log index at which the write was applied; any server that has applied it shows the write. */
  readonly index: number;
  readonly value: Value;
}

export type RpcMethod = keyof RpcContract;
export type RpcRequest<M extends RpcMethod> = RpcContract[M]['request'];
export type RpcReply<M extends RpcMethod> = RpcContract[M]['reply'];
export type RpcValue<M extends RpcMethod> = RpcReply<M>['value'];
export type ReadMethod = { [M in RpcMethod]: RpcContract[M]['kind'] extends 'read' ? M : never }[RpcMethod];
export type WriteMethod = Exclude<RpcMethod, ReadMethod>;

/**
 * The agent's way to the servers: in-process on a server, a stream on a client.
 * @throws LictorError always of that class, whatever went wrong
 */
export interface ServerPort {
  call<M extends RpcMethod>(method: M, request: RpcRequest<M>, options?: CallOptions): Promise<RpcReply<M>>;
}
