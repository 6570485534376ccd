import { formatDuration, Secret } from '@lictor/protocol';
import type { ListenAddress, RuntimeConfig } from '../../contracts/index.ts';
import type { BuildInfo } from '../deps.ts';

const HIDDEN = 'hidden';
/** Names in free-form configuration whose values are credentials. */
const SECRET_KEY = /token|secret|password|privatekey|private_key|encrypt|credential/i;

/**
 * The configuration in force, under Consul's names, as DebugConfig of GET /v1/agent/self. Credentials are never in it: tokens show as
 * `hidden`, and so does whatever looks like one in the CA provider's configuration (CVE-2020-28053).
 */
export function debugConfigJson(config: RuntimeConfig, build: BuildInfo): object {
  return { ...identity(config, build), ...network(config), ...dns(config), ...limits(config), ...features(config) };
}

function identity(config: RuntimeConfig, build: BuildInfo): object {
  return {
    ACLResolverSettings: { ACLDefaultPolicy: config.aclDefaultPolicy, ACLsEnabled: config.aclEnabled, Datacenter: config.datacenter },
    ACLTokens: hideTokens(config),
    ACLsEnabled: config.aclEnabled,
    Bootstrap: config.bootstrap,
    BootstrapExpect: config.bootstrapExpect,
    BuildDate: build.buildDate,
    DataDir: config.dataDir ?? '',
    Datacenter: config.datacenter,
    DevMode: config.devMode,
    EncryptKey: HIDDEN,
    NodeID: config.nodeId,
    NodeMeta: config.nodeMeta,
    NodeName: config.nodeName,
    PidFile: config.pidFile,
    PrimaryDatacenter: config.primaryDatacenter,
    Revision: build.revision,
    ServerMode: config.server,
    TaggedAddresses: config.taggedAddresses,
    Version: build.version,
    VersionPrerelease: build.prerelease,
  };
}

function hideTokens(config: RuntimeConfig): object {
  const names = Object.keys(config.tokens).map(
    (kind) => `ACL${kind === 'dns' ? 'DNS' : kind.charAt(0).toUpperCase() + kind.slice(1)}Token`,
  );
  return Object.fromEntries(names.map((name) => [name, HIDDEN]));
}

function network(config: RuntimeConfig): object {
  const { ports } = config;
  return {
    AdvertiseAddrLAN: config.advertiseAddress,
    AdvertiseAddrWAN: config.taggedAddresses['wan'] ?? config.advertiseAddress,
    AllowWriteHTTPFrom: config.http.allowWriteFrom,
    AutoEncryptAllowTLS: config.autoEncrypt.allowTls,
    AutoEncryptDNSSAN: config.autoEncrypt.dnsSans,
    AutoEncryptIPSAN: config.autoEncrypt.ipSans,
    AutoEncryptTLS: config.autoEncrypt.tls,
    BindAddr: config.bindAddress,
    ClientAddrs: config.clientAddresses,
    ExposeMaxPort: config.exposePorts.max,
    ExposeMinPort: config.exposePorts.min,
    GRPCPort: ports.grpc,
    GRPCTLSPort: ports.grpcTls,
    HTTPAddrs: config.httpListen.map(addressText),
    HTTPBlockEndpoints: config.http.blockEndpoints,
    HTTPMaxConnsPerClient: config.http.maxConnectionsPerClient,
    HTTPMaxHeaderBytes: config.http.maxHeaderBytes,
    HTTPPort: ports.http,
    HTTPResponseHeaders: config.http.responseHeaders,
    HTTPSAddrs: config.httpsListen.map(addressText),
    HTTPSHandshakeTimeout: formatDuration(config.http.handshakeTimeoutMs),
    HTTPSPort: ports.https,
    HTTPUseCache: config.http.useCache,
    RPCAdvertiseAddr: tcp(config.advertiseAddress, ports.server),
    RPCBindAddr: tcp(config.bindAddress, ports.server),
    RetryJoinLAN: config.gossip.lan.join.addresses.map(hideJoinSecrets),
    SerfAdvertiseAddrLAN: tcp(config.advertiseAddress, ports.serfLan),
    SerfAdvertiseAddrWAN: tcp(config.taggedAddresses['wan'] ?? config.advertiseAddress, ports.serfWan),
    SerfBindAddrLAN: tcp(config.bindAddress, ports.serfLan),
    SerfBindAddrWAN: tcp(config.bindAddress, ports.serfWan),
    SerfPortLAN: ports.serfLan,
    SerfPortWAN: ports.serfWan,
    ServerPort: ports.server,
  };
}

function dns(config: RuntimeConfig): object {
  const { dns: settings } = config;
  return {
    DNSARecordLimit: settings.aRecordLimit,
    DNSAddrs: config.dnsListen.flatMap(({ host, port }) => [`tcp://${host}:${port}`, `udp://${host}:${port}`]),
    DNSAllowStale: settings.allowStale,
    DNSAltDomain: config.altDomain,
    DNSCacheMaxAge: formatDuration(settings.cacheMaxAgeMs),
    DNSDisableCompression: settings.disableCompression,
    DNSDomain: config.domain,
    DNSEnableTruncate: settings.enableTruncate,
    DNSMaxStale: formatDuration(settings.maxStaleMs),
    DNSNodeMetaTXT: settings.nodeMetaTxt,
    DNSNodeTTL: formatDuration(settings.nodeTtlMs),
    DNSOnlyPassing: settings.onlyPassing,
    DNSPort: config.ports.dns,
    DNSRecursorStrategy: settings.recursorStrategy,
    DNSRecursorTimeout: formatDuration(settings.recursorTimeoutMs),
    DNSRecursors: settings.recursors,
    DNSSOA: { Expire: settings.soa.expire, Minttl: settings.soa.minTtl, Refresh: settings.soa.refresh, Retry: settings.soa.retry },
    DNSServiceTTL: Object.fromEntries(Object.entries(settings.serviceTtlMs).map(([name, ttlMs]) => [name, formatDuration(ttlMs)])),
    DNSUDPAnswerLimit: settings.udpAnswerLimit,
    DNSUseCache: settings.useCache,
  };
}

function limits(config: RuntimeConfig): object {
  return {
    CheckOutputMaxSize: config.checkOutputMaxBytes,
    CheckUpdateInterval: formatDuration(config.checkUpdateIntervalMs),
    ConnectSidecarMaxPort: config.sidecarPorts.max,
    ConnectSidecarMinPort: config.sidecarPorts.min,
    DefaultQueryTime: formatDuration(config.defaultQueryTimeMs),
    DiscoveryMaxStale: formatDuration(config.discoveryMaxStaleMs),
    KVMaxValueSize: config.limits.kvMaxValueBytes,
    MaxQueryTime: formatDuration(config.maxQueryTimeMs),
    RPCClientTimeout: formatDuration(config.limits.rpcClientTimeoutMs),
    SessionTTLMin: formatDuration(config.sessionTtlMinMs),
    TxnMaxReqLen: config.limits.txnMaxRequestBytes,
  };
}

function features(config: RuntimeConfig): object {
  return {
    ConnectCAConfig: hideSecrets(config.connect.caConfig),
    ConnectCAProvider: config.connect.caProvider,
    ConnectEnabled: config.connect.enabled,
    DefaultIntentionPolicy: config.defaultIntentionPolicy,
    DiscardCheckOutput: config.discardCheckOutput,
    EnableCentralServiceConfig: config.enableCentralServiceConfig,
    EnableDebug: config.enableDebug,
    EnableLocalScriptChecks: config.enableLocalScriptChecks,
    EnableRemoteScriptChecks: config.enableScriptChecks,
    LeaveOnTerm: config.leaveOnTerminate,
    Logging: {
      LogFilePath: config.log.file,
      LogJSON: config.log.json,
      LogLevel: config.log.level.toUpperCase(),
      LogRotateBytes: config.log.rotateBytes,
      LogRotateDuration: formatDuration(config.log.rotateDurationMs),
      LogRotateMaxFiles: config.log.rotateMaxFiles,
    },
    SkipLeaveOnInt: config.skipLeaveOnInterrupt,
    Telemetry: {
      DisableHostname: config.telemetry.disableHostname,
      FilterDefault: config.telemetry.filterDefault,
      MetricsPrefix: config.telemetry.metricsPrefix,
      PrometheusOpts: { Expiration: formatDuration(config.telemetry.prometheusRetentionMs) },
      StatsdAddr: config.telemetry.statsdAddress,
    },
    UIConfig: { ContentPath: config.ui.contentPath, Enabled: config.ui.enabled },
  };
}

/** `provider=aws secret_access_key=x`: values of names like this are credentials, `tag_key` among them, as Consul has it. */
function hideJoinSecrets(address: string): string {
  return address.replace(/(\S*(?:key|token|secret|password)[^\s=]*)=\S*/gi, `$1=${HIDDEN}`);
}

function tcp(host: string, port: number): string {
  return `tcp://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function addressText(address: ListenAddress): string {
  return 'socketPath' in address ? `unix://${address.socketPath}` : `tcp://${address.host}:${address.port}`;
}

function hideSecrets(value: unknown, key = ''): unknown {
  if (value instanceof Secret || (SECRET_KEY.test(key) && value !== '' && value !== null)) return HIDDEN;
  if (Array.isArray(value)) return value.map((item) => hideSecrets(item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, hideSecrets(item, name)]));
}
