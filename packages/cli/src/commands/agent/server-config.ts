import type { RuntimeConfig } from '@lictor/client-agent';
import { type AutopilotFields, caConfigurationRequest, decode, DEFAULT_AUTOPILOT, joinHostPort } from '@lictor/protocol';
import { createServerConfig, DEV_RAFT_TIMING, type NetworkConfig, raftTiming, type ServerConfig } from '@lictor/server';
import { toRpcTlsConfig } from './rpc-tls-config.ts';

/** What the server part needs of the agent's configuration. `isAlone`: nobody is to reach it, or be reached. */
export function toServerConfig(config: RuntimeConfig, isAlone = false): ServerConfig {
  const { caConfig, caProvider, enabled } = config.connect;
  const hasCaConfig = Object.keys(caConfig).length > 0 || caProvider !== 'consul';
  return createServerConfig({
    datacenter: config.datacenter,
    nodeName: config.nodeName,
    nodeId: config.nodeId,
    rpcAddress: joinHostPort(config.advertiseAddress, config.ports.server),
    network: isAlone ? null : toNetworkConfig(config),
    isBootstrap: config.devMode || config.bootstrap,
    raftTiming: config.devMode ? DEV_RAFT_TIMING : raftTiming(config.raftMultiplier),
    rpcHoldMs: config.rpcHoldMs,
    leaveDrainMs: config.leaveDrainMs,
    rejoinAgeMaxMs: config.serverRejoinAgeMaxMs,
    autopilot: toAutopilot(config),
    snapshotThreshold: config.raftSnapshots.threshold,
    snapshotIntervalMs: config.raftSnapshots.intervalMs,
    trailingLogs: config.raftSnapshots.trailingLogs,
    grpcPort: Math.max(0, config.ports.grpc),
    grpcTlsPort: Math.max(0, config.ports.grpcTls),
    dataDir: config.dataDir,
    connectEnabled: enabled,
    autoEncryptAllowTls: config.autoEncrypt.allowTls,
    caConfig: hasCaConfig ? decode(caConfigurationRequest, { Provider: caProvider, Config: toApiKeys(caConfig) }) : null,
    defaultIntentionPolicy: config.defaultIntentionPolicy === '' ? config.aclDefaultPolicy : config.defaultIntentionPolicy,
    bootstrapConfigEntries: config.configEntriesBootstrap,
    sessionTtlMinMs: config.sessionTtlMinMs,
    defaultQueryTimeMs: config.defaultQueryTimeMs,
    maxQueryTimeMs: config.maxQueryTimeMs,
  });
}

function toAutopilot({ autopilot }: RuntimeConfig): AutopilotFields {
  return {
    ...DEFAULT_AUTOPILOT,
    CleanupDeadServers: autopilot.cleanupDeadServers,
    LastContactThreshold: autopilot.lastContactThresholdMs,
    MaxTrailingLogs: autopilot.maxTrailingLogs,
    MinQuorum: autopilot.minQuorum,
    ServerStabilizationTime: autopilot.serverStabilizationTimeMs,
  };
}

function toNetworkConfig(config: RuntimeConfig): NetworkConfig {
  const { bindAddress, ports, bootstrapExpect, limits } = config;
  return {
    rpcHost: bindAddress,
    rpcPort: ports.server,
    bootstrapExpect,
    limits: { handshakeTimeoutMs: limits.rpcHandshakeTimeoutMs, maxConnectionsPerClient: limits.rpcMaxConnectionsPerClient },
    tls: toRpcTlsConfig(config),
  };
}

/** `leaf_cert_ttl` in files is `LeafCertTTL` in the API (consul-facts P015). */
function toApiKeys(caConfig: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(caConfig).map(([key, value]) => [toApiKey(key), value]));
}

const UPPER_WORDS: ReadonlySet<string> = new Set(['ttl', 'csr', 'ca', 'pki', 'tls', 'id', 'arn']);

function toApiKey(key: string): string {
  if (!key.includes('_') && /^[A-Z]/.test(key)) return key;
  return key
    .split('_')
    .map((word) => (UPPER_WORDS.has(word) ? word.toUpperCase() : word.charAt(0).toUpperCase() + word.slice(1)))
    .join('');
}
