import { API_VERSION, type AutopilotFields, type CaConfigurationRequest, DEFAULT_AUTOPILOT } from '@lictor/protocol';
import type { RaftTiming } from './consensus/index.ts';
import type { RpcTlsFiles, RpcTlsOptions } from './tls/index.ts';

export interface RpcTlsConfig {
  readonly options: RpcTlsOptions;
  readonly files: RpcTlsFiles;
}

/** How a server reaches others, and they it. */
export interface NetworkConfig {
  /** Where RPC listens: Raft and calls from other servers. */
  readonly rpcHost: string;
  readonly rpcPort: number;
  /** Servers to wait for before the first election; 0: this one joins what is there. */
  readonly bootstrapExpect: number;
  /** Of the RPC port; Consul's where they are not given, and 0 for none. */
  readonly limits?: { readonly handshakeTimeoutMs: number; readonly maxConnectionsPerClient: number };
  /** Null: plain text. */
  readonly tls: RpcTlsConfig | null;
}

/** Everything a server needs to know, complete and frozen. Durations in ms. */
export interface ServerConfig {
  readonly datacenter: string;
  readonly nodeName: string;
  readonly nodeId: string;
  /** `ip:port` of this server's RPC, as `/v1/status/leader` shows it. */
  readonly rpcAddress: string;
  /** The API level that this node reports. */
  readonly version: string;
  /** Of xDS, as the catalog's `consul` service shows them; 0 when off. */
  readonly grpcPort: number;
  readonly grpcTlsPort: number;
  /** Null keeps everything in memory (`-dev`). */
  readonly dataDir: string | null;
  /** Null: a server by itself, which nobody can join. */
  readonly network: NetworkConfig | null;
  /** Makes a cluster of its own when it has never been part of one. */
  readonly isBootstrap: boolean;
  readonly raftTiming: RaftTiming;
  /** How often servers greet each other, ms. */
  readonly greetEveryMs: number;
  /** How long a call waits for a leader. */
  readonly rpcHoldMs: number;
  /** How long a server that has left serves on, for calls that have come by then. */
  readonly leaveDrainMs: number;
  /** A server that last ran longer ago does not start. */
  readonly rejoinAgeMaxMs: number;
  /** What the cluster's autopilot begins with. */
  readonly autopilot: AutopilotFields;
  readonly connectEnabled: boolean;
  /** Agents without a certificate get one of the mesh's CA, and may call with it. */
  readonly autoEncryptAllowTls: boolean;
  /** The provider's configuration at bootstrap; null for the built-in CA with defaults. */
  readonly caConfig: CaConfigurationRequest | null;
  /** What a connection without a matching intention gets. */
  readonly defaultIntentionPolicy: 'allow' | 'deny';
  /** Config entries written at bootstrap when they are absent, as decoded from the agent's configuration. */
  readonly bootstrapConfigEntries: readonly Readonly<Record<string, unknown>>[];
  readonly sessionTtlMinMs: number;
  readonly tombstoneTtlMs: number;
  readonly tombstoneGranularityMs: number;
  readonly defaultQueryTimeMs: number;
  readonly maxQueryTimeMs: number;
  /** A snapshot is due when this many entries were applied since the last one; looked at once an interval. */
  readonly snapshotThreshold: number;
  readonly snapshotIntervalMs: number;
  /** Entries kept behind a snapshot. */
  readonly trailingLogs: number;
}

/**
 * Consul's timings, which `performance.raft_multiplier` scales, 1 to 10 (consul-facts T013). Its heartbeats are sent ten times in a
 * heartbeat timeout.
 */
export function raftTiming(multiplier: number): RaftTiming {
  return { heartbeatMs: 100 * multiplier, electionTimeoutMs: 1000 * multiplier, leaseMs: 500 * multiplier };
}

/** Of `-dev`. */
export const DEV_RAFT_TIMING: RaftTiming = { heartbeatMs: 35, electionTimeoutMs: 52, leaseMs: 20 };

/** Consul's defaults (consul-facts K062, K068, T002, T010, T014, O008). */
export const DEFAULT_SERVER_CONFIG: ServerConfig = {
  datacenter: 'dc1',
  nodeName: 'server',
  nodeId: '',
  rpcAddress: '127.0.0.1:8300',
  version: API_VERSION,
  grpcPort: 0,
  grpcTlsPort: 0,
  dataDir: null,
  network: null,
  isBootstrap: true,
  greetEveryMs: 1000,
  raftTiming: raftTiming(5),
  rpcHoldMs: 7000,
  leaveDrainMs: 5000,
  rejoinAgeMaxMs: 7 * 24 * 3_600_000,
  autopilot: DEFAULT_AUTOPILOT,
  connectEnabled: true,
  autoEncryptAllowTls: false,
  caConfig: null,
  defaultIntentionPolicy: 'allow',
  bootstrapConfigEntries: [],
  sessionTtlMinMs: 10_000,
  tombstoneTtlMs: 15 * 60_000,
  tombstoneGranularityMs: 30_000,
  defaultQueryTimeMs: 300_000,
  maxQueryTimeMs: 600_000,
  snapshotThreshold: 16_384,
  snapshotIntervalMs: 30_000,
  trailingLogs: 10_240,
};

export function createServerConfig(overrides: Partial<ServerConfig> = {}): ServerConfig {
  return Object.freeze({ ...DEFAULT_SERVER_CONFIG, ...overrides });
}
