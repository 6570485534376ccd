import type { CheckDefinition, LogLevel, Secret, ServiceDefinition } from '@lictor/protocol';

/** One listening address: a host and port, or a Unix socket. */
export type ListenAddress = { readonly host: string; readonly port: number } | { readonly socketPath: string; readonly mode?: number };

/**
 * The agent's complete configuration: every default filled in, frozen, units in names. Built once per (re)load from flags and files
 * (config/load.ts); docs/reference/config.md lists each option under its file name.
 */
export interface RuntimeConfig {
  readonly devMode: boolean;
  readonly server: boolean;
  readonly bootstrap: boolean;
  readonly bootstrapExpect: number;
  readonly datacenter: string;
  readonly primaryDatacenter: string;
  readonly domain: string;
  readonly altDomain: string;
  readonly nodeName: string;
  readonly nodeId: string;
  readonly nodeMeta: Readonly<Record<string, string>>;
  /** Null in dev mode. */
  readonly dataDir: string | null;
  readonly bindAddress: string;
  readonly advertiseAddress: string;
  readonly advertiseAddressWan: string;
  readonly taggedAddresses: Readonly<Record<string, string>>;
  readonly clientAddresses: readonly string[];
  readonly httpListen: readonly ListenAddress[];
  readonly httpsListen: readonly ListenAddress[];
  readonly dnsListen: readonly { readonly host: string; readonly port: number }[];
  /** Ports as configured, -1 for off. */
  readonly ports: Readonly<Record<'dns' | 'http' | 'https' | 'grpc' | 'grpcTls' | 'serfLan' | 'serfWan' | 'server', number>>;
  readonly sidecarPorts: { readonly min: number; readonly max: number };
  readonly exposePorts: { readonly min: number; readonly max: number };
  readonly log: {
    readonly level: LogLevel;
    readonly json: boolean;
    readonly file: string;
    readonly rotateBytes: number;
    readonly rotateDurationMs: number;
    readonly rotateMaxFiles: number;
  };
  readonly http: {
    readonly blockEndpoints: readonly string[];
    readonly responseHeaders: Readonly<Record<string, string>>;
    readonly allowWriteFrom: readonly string[];
    readonly useCache: boolean;
    readonly maxHeaderBytes: number;
    readonly maxConnectionsPerClient: number;
    readonly handshakeTimeoutMs: number;
    readonly certFile: string;
    readonly keyFile: string;
    readonly caFile: string;
    readonly verifyIncoming: boolean;
  };
  /** TLS between servers; spoken when either side is verified. Files as written, empty for none. */
  readonly internalRpcTls: {
    readonly caFile: string;
    /** A folder, looked at without `caFile`. */
    readonly caPath: string;
    readonly certFile: string;
    readonly keyFile: string;
    readonly verifyIncoming: boolean;
    /** True whenever `verifyServerHostname` is. */
    readonly verifyOutgoing: boolean;
    readonly verifyServerHostname: boolean;
    readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
    /** OpenSSL's names, for TLS 1.2; empty: Node's choice. */
    readonly ciphers: string;
  };
  /** Certificates that servers give to clients. */
  readonly autoEncrypt: {
    /** Of a client: gets its certificate from the servers. */
    readonly tls: boolean;
    /** Of a server: gives them. */
    readonly allowTls: boolean;
    /** Names of a client beside `localhost`, and addresses beside the loopback ones. */
    readonly dnsSans: readonly string[];
    readonly ipSans: readonly string[];
  };
  readonly limits: {
    readonly kvMaxValueBytes: number;
    readonly txnMaxRequestBytes: number;
    /** Of server connections; 0: none. */
    readonly rpcHandshakeTimeoutMs: number;
    /** 0: no limit. */
    readonly rpcMaxConnectionsPerClient: number;
    /** Of a client's calls to servers, a second; below 0: no limit. */
    readonly rpcRate: number;
    readonly rpcMaxBurst: number;
    /** How long a client waits for an answer, beside the time that a call blocks; 0: for ever. */
    readonly rpcClientTimeoutMs: number;
  };
  readonly dns: {
    readonly allowStale: boolean;
    readonly maxStaleMs: number;
    readonly nodeTtlMs: number;
    /** By service name, `prefix*` or `*`. */
    readonly serviceTtlMs: Readonly<Record<string, number>>;
    readonly enableTruncate: boolean;
    readonly onlyPassing: boolean;
    readonly recursors: readonly string[];
    readonly recursorStrategy: 'sequential' | 'random';
    readonly recursorTimeoutMs: number;
    readonly disableCompression: boolean;
    readonly udpAnswerLimit: number;
    readonly aRecordLimit: number;
    readonly nodeMetaTxt: boolean;
    readonly soa: { readonly refresh: number; readonly retry: number; readonly expire: number; readonly minTtl: number };
    readonly useCache: boolean;
    readonly cacheMaxAgeMs: number;
  };
  readonly defaultQueryTimeMs: number;
  readonly maxQueryTimeMs: number;
  /** How stale catalog and health reads that name no consistency may be; 0: not at all. */
  readonly discoveryMaxStaleMs: number;
  readonly checkUpdateIntervalMs: number;
  readonly checkOutputMaxBytes: number;
  readonly discardCheckOutput: boolean;
  /** HTTP and TCP checks never dial link-local addresses (cloud metadata services): security.md, CVE-2022-29153. */
  readonly checkRefuseLinkLocal: boolean;
  readonly enableScriptChecks: boolean;
  readonly enableLocalScriptChecks: boolean;
  readonly enableDebug: boolean;
  readonly enableCentralServiceConfig: boolean;
  readonly leaveOnTerminate: boolean;
  readonly skipLeaveOnInterrupt: boolean;
  readonly pidFile: string;
  readonly autoReloadConfig: boolean;
  /** 1 to 10; scales Raft's timings. */
  readonly raftMultiplier: number;
  /** Entries between two snapshots, how often that is looked at, and the entries kept behind one. */
  readonly raftSnapshots: { readonly threshold: number; readonly intervalMs: number; readonly trailingLogs: number };
  /** How long a call waits for a leader. */
  readonly rpcHoldMs: number;
  /** How long a server that has left serves on. */
  readonly leaveDrainMs: number;
  /** A server that last ran longer ago does not start. */
  readonly serverRejoinAgeMaxMs: number;
  /** What the cluster begins with; changes go through the operator's API. */
  readonly autopilot: {
    readonly cleanupDeadServers: boolean;
    readonly lastContactThresholdMs: number;
    readonly maxTrailingLogs: number;
    readonly minQuorum: number;
    readonly serverStabilizationTimeMs: number;
  };
  readonly aclEnabled: boolean;
  readonly aclDefaultPolicy: 'allow' | 'deny';
  /** Empty: follow the ACL default policy. */
  readonly defaultIntentionPolicy: '' | 'allow' | 'deny';
  readonly tokens: Readonly<Record<'default' | 'agent' | 'agentRecovery' | 'replication' | 'configFileRegistration' | 'dns', Secret>>;
  readonly connect: {
    readonly enabled: boolean;
    readonly caProvider: string;
    readonly caConfig: Readonly<Record<string, unknown>>;
    /** Leaves follow a new root within this time. */
    readonly leafRootChangeSpreadMs: number;
  };
  readonly configEntriesBootstrap: readonly Readonly<Record<string, unknown>>[];
  readonly telemetry: {
    readonly metricsPrefix: string;
    readonly prefixFilter: readonly string[];
    readonly filterDefault: boolean;
    readonly prometheusRetentionMs: number;
    readonly disableHostname: boolean;
    readonly statsdAddress: string;
  };
  readonly ui: { readonly enabled: boolean; readonly contentPath: string };
  readonly sessionTtlMinMs: number;
  readonly services: readonly ServiceDefinition[];
  readonly checks: readonly CheckDefinition[];
  readonly watches: readonly Readonly<Record<string, unknown>>[];
  readonly gossip: GossipConfig;
  /** Non-fatal findings, logged at start and after a reload. */
  readonly warnings: readonly string[];
}

/** Of membership by gossip. */
export interface GossipConfig {
  readonly lan: GossipPoolConfig;
  /** Servers of all datacenters; null on clients, and where it is off. */
  readonly wan: GossipPoolConfig | null;
  /** Base64; empty: none, or the one in the keyring file. */
  readonly encryptKey: Secret;
  readonly verifyIncoming: boolean;
  readonly verifyOutgoing: boolean;
  readonly keepsKeysInMemory: boolean;
  readonly hasCoordinates: boolean;
  /** Whether an agent that left goes back to those it knew when it is started again. */
  readonly rejoinsAfterLeave: boolean;
}

export interface GossipPoolConfig {
  readonly bindAddress: string;
  readonly advertiseAddress: string;
  readonly port: number;
  readonly join: JoinConfig;
  /** Null: anybody may be a member. */
  readonly allowedCidrs: readonly string[] | null;
  /** How long a failed member is waited for; undefined: the pool's default. */
  readonly reconnectTimeoutMs: number | undefined;
  /** What differs from the pool's defaults. */
  readonly timing: GossipTiming;
}

export interface JoinConfig {
  /** `host[:port]` of members, tried again and again. */
  readonly addresses: readonly string[];
  readonly intervalMs: number;
  /** Attempts; 0: no limit. */
  readonly max: number;
}

export interface GossipTiming {
  readonly gossipNodes?: number;
  readonly gossipIntervalMs?: number;
  readonly probeIntervalMs?: number;
  readonly probeTimeoutMs?: number;
  readonly suspicionMult?: number;
  readonly retransmitMult?: number;
}
