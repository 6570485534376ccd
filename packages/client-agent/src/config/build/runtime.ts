import { type CheckDefinition, LOG_LEVELS, type LogLevel, type ServiceDefinition } from '@lictor/protocol';
import type { RuntimeConfig } from '../../contracts/index.ts';
import { ConfigError } from '../config-error.ts';
import type { ListInterfaces } from '../sockaddr/index.ts';
import type { RawReader } from '../source/index.ts';
import { buildAddresses } from './addresses.ts';
import { buildFaces } from './faces.ts';
import { buildGossip } from './gossip.ts';
import { buildAutoEncrypt } from './auto-encrypt.ts';
import { buildInternalRpcTls } from './tls.ts';

export interface BuildEnvironment {
  readonly isDevMode: boolean;
  readonly hostname: string;
  readonly listInterfaces: ListInterfaces;
}

/** The complete configuration, before the rules that span several options. @throws ConfigError */
export function buildRuntime(raw: RawReader, environment: BuildEnvironment): RuntimeConfig {
  const isServer = raw.boolean('server');
  const dataDir = raw.string('data_dir');
  const datacenter = raw.string('datacenter').toLowerCase();
  const addresses = buildAddresses(raw, environment.listInterfaces, environment.isDevMode);
  return {
    ...addresses,
    gossip: buildGossip(raw, addresses, isServer),
    ...buildFaces(raw),
    ...buildChecks(raw),
    internalRpcTls: buildInternalRpcTls(raw),
    autoEncrypt: buildAutoEncrypt(raw),
    devMode: environment.isDevMode,
    server: isServer,
    bootstrap: raw.boolean('bootstrap') || raw.integer('bootstrap_expect') === 1,
    bootstrapExpect: raw.integer('bootstrap_expect') === 1 ? 0 : raw.integer('bootstrap_expect'),
    datacenter,
    primaryDatacenter: raw.string('primary_datacenter').toLowerCase() || datacenter,
    domain: raw.string('domain'),
    altDomain: raw.string('alt_domain'),
    nodeName: (raw.string('node_name') || environment.hostname).trim(),
    nodeId: raw.string('node_id').toLowerCase(),
    nodeMeta: raw.stringMap('node_meta'),
    dataDir: environment.isDevMode || dataDir === '' ? null : dataDir,
    log: {
      level: readLogLevel(raw.string('log_level')),
      json: raw.boolean('log_json'),
      file: raw.string('log_file'),
      rotateBytes: raw.integer('log_rotate_bytes'),
      rotateDurationMs: raw.durationMs('log_rotate_duration'),
      rotateMaxFiles: raw.integer('log_rotate_max_files'),
    },
    defaultQueryTimeMs: raw.durationMs('default_query_time'),
    maxQueryTimeMs: raw.durationMs('max_query_time'),
    discoveryMaxStaleMs: raw.durationMs('discovery_max_stale'),
    enableDebug: raw.boolean('enable_debug'),
    leaveOnTerminate: raw.maybeBoolean('leave_on_terminate') ?? !isServer,
    skipLeaveOnInterrupt: raw.maybeBoolean('skip_leave_on_interrupt') ?? isServer,
    pidFile: raw.string('pid_file'),
    autoReloadConfig: raw.boolean('auto_reload_config'),
    raftMultiplier: raw.integer('performance.raft_multiplier'),
    raftSnapshots: {
      threshold: raw.integer('raft_snapshot_threshold'),
      intervalMs: raw.durationMs('raft_snapshot_interval'),
      trailingLogs: raw.integer('raft_trailing_logs'),
    },
    rpcHoldMs: raw.durationMs('performance.rpc_hold_timeout'),
    leaveDrainMs: raw.durationMs('performance.leave_drain_time'),
    serverRejoinAgeMaxMs: raw.durationMs('server_rejoin_age_max'),
    autopilot: {
      cleanupDeadServers: raw.boolean('autopilot.cleanup_dead_servers'),
      lastContactThresholdMs: raw.durationMs('autopilot.last_contact_threshold'),
      maxTrailingLogs: raw.integer('autopilot.max_trailing_logs'),
      minQuorum: raw.integer('autopilot.min_quorum'),
      serverStabilizationTimeMs: raw.durationMs('autopilot.server_stabilization_time'),
    },
    aclEnabled: raw.boolean('acl.enabled'),
    aclDefaultPolicy: readPolicy('acl.default_policy', raw.string('acl.default_policy')) || 'allow',
    defaultIntentionPolicy: readPolicy('default_intention_policy', raw.string('default_intention_policy')),
    connect: {
      // Certificates of clients are of the mesh's CA.
      enabled: raw.boolean('connect.enabled') || raw.boolean('auto_encrypt.allow_tls'),
      caProvider: raw.string('connect.ca_provider') || 'consul',
      caConfig: raw.map('connect.ca_config'),
      leafRootChangeSpreadMs: raw.durationMs('connect.test_ca_leaf_root_change_spread') || 30_000,
    },
    configEntriesBootstrap: raw.maps('config_entries.bootstrap'),
    sessionTtlMinMs: raw.durationMs('session_ttl_min'),
    services: raw.definitions<ServiceDefinition>('services'),
    checks: raw.definitions<CheckDefinition>('checks'),
    watches: raw.maps('watches'),
    warnings: [],
  };
}

function buildChecks(raw: RawReader) {
  return {
    checkUpdateIntervalMs: raw.durationMs('check_update_interval'),
    checkOutputMaxBytes: raw.integer('check_output_max_size'),
    discardCheckOutput: raw.boolean('discard_check_output'),
    checkRefuseLinkLocal: raw.boolean('check_refuse_link_local'),
    enableScriptChecks: raw.boolean('enable_script_checks'),
    enableLocalScriptChecks: raw.boolean('enable_local_script_checks') || raw.boolean('enable_script_checks'),
    enableCentralServiceConfig: raw.boolean('enable_central_service_config'),
  };
}

function readLogLevel(written: string): LogLevel {
  const lower = written.toLowerCase();
  // Consul knows two more names for its levels.
  const level = lower === 'err' ? 'error' : lower === 'warning' ? 'warn' : lower;
  const found = LOG_LEVELS.find((candidate) => candidate === level);
  if (found === undefined) {
    throw new ConfigError(`Invalid log level: ${written}. Valid log levels are: [TRACE DEBUG INFO WARN ERROR]`, { key: 'log_level' });
  }
  return found;
}

function readPolicy(key: string, written: string): '' | 'allow' | 'deny' {
  const lower = written.toLowerCase();
  if (lower === '' || lower === 'allow' || lower === 'deny') return lower;
  throw new ConfigError(`${key}: invalid policy: ${JSON.stringify(written)}`, { key });
}
