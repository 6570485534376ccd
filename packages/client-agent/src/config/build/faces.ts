import { parseDuration, Secret } from '@lictor/protocol';
import type { RuntimeConfig } from '../../contracts/index.ts';
import { ConfigError } from '../config-error.ts';
import type { RawReader } from '../source/index.ts';

type FaceParts = Pick<RuntimeConfig, 'http' | 'limits' | 'dns' | 'telemetry' | 'ui' | 'tokens'>;

export function buildFaces(raw: RawReader): FaceParts {
  return {
    http: buildHttp(raw),
    limits: {
      kvMaxValueBytes: raw.integer('limits.kv_max_value_size'),
      txnMaxRequestBytes: raw.integer('limits.txn_max_req_len'),
      rpcHandshakeTimeoutMs: raw.durationMs('limits.rpc_handshake_timeout'),
      rpcMaxConnectionsPerClient: raw.integer('limits.rpc_max_conns_per_client'),
      rpcRate: raw.float('limits.rpc_rate'),
      rpcMaxBurst: raw.integer('limits.rpc_max_burst'),
      rpcClientTimeoutMs: raw.durationMs('limits.rpc_client_timeout'),
    },
    dns: buildDns(raw),
    telemetry: {
      metricsPrefix: raw.string('telemetry.metrics_prefix'),
      prefixFilter: raw.strings('telemetry.prefix_filter'),
      filterDefault: raw.boolean('telemetry.filter_default'),
      prometheusRetentionMs: raw.durationMs('telemetry.prometheus_retention_time'),
      disableHostname: raw.boolean('telemetry.disable_hostname'),
      statsdAddress: raw.string('telemetry.statsd_address'),
    },
    ui: { enabled: raw.boolean('ui_config.enabled'), contentPath: contentPath(raw.string('ui_config.content_path')) },
    tokens: {
      default: new Secret(raw.string('acl.tokens.default')),
      agent: new Secret(raw.string('acl.tokens.agent')),
      agentRecovery: new Secret(raw.string('acl.tokens.agent_recovery')),
      replication: new Secret(raw.string('acl.tokens.replication')),
      configFileRegistration: new Secret(raw.string('acl.tokens.config_file_service_registration')),
      dns: new Secret(raw.string('acl.tokens.dns')),
    },
  };
}

function buildHttp(raw: RawReader): RuntimeConfig['http'] {
  const file = (name: 'ca_file' | 'cert_file' | 'key_file'): string =>
    raw.string(`tls.https.${name}`) || raw.string(`tls.defaults.${name}`);
  return {
    blockEndpoints: raw.strings('http_config.block_endpoints'),
    responseHeaders: raw.stringMap('http_config.response_headers'),
    allowWriteFrom: raw.strings('http_config.allow_write_http_from'),
    useCache: raw.boolean('http_config.use_cache'),
    maxHeaderBytes: raw.integer('http_config.max_header_bytes'),
    maxConnectionsPerClient: raw.integer('limits.http_max_conns_per_client'),
    handshakeTimeoutMs: raw.durationMs('limits.https_handshake_timeout'),
    certFile: file('cert_file'),
    keyFile: file('key_file'),
    caFile: file('ca_file'),
    verifyIncoming: raw.maybeBoolean('tls.https.verify_incoming') ?? raw.boolean('tls.defaults.verify_incoming'),
  };
}

function buildDns(raw: RawReader): RuntimeConfig['dns'] {
  const strategy = raw.string('dns_config.recursor_strategy');
  if (strategy !== 'sequential' && strategy !== 'random') {
    throw new ConfigError(`dns_config.recursor_strategy: invalid strategy: ${JSON.stringify(strategy)}`, {
      key: 'dns_config.recursor_strategy',
    });
  }
  return {
    allowStale: raw.boolean('dns_config.allow_stale'),
    maxStaleMs: raw.durationMs('dns_config.max_stale'),
    nodeTtlMs: raw.durationMs('dns_config.node_ttl'),
    serviceTtlMs: serviceTtls(raw.stringMap('dns_config.service_ttl')),
    enableTruncate: raw.boolean('dns_config.enable_truncate'),
    onlyPassing: raw.boolean('dns_config.only_passing'),
    recursors: raw.strings('recursors'),
    recursorStrategy: strategy,
    recursorTimeoutMs: raw.durationMs('dns_config.recursor_timeout'),
    disableCompression: raw.boolean('dns_config.disable_compression'),
    udpAnswerLimit: raw.integer('dns_config.udp_answer_limit'),
    aRecordLimit: raw.integer('dns_config.a_record_limit'),
    nodeMetaTxt: raw.boolean('dns_config.enable_additional_node_meta_txt'),
    soa: {
      refresh: raw.integer('dns_config.soa.refresh'),
      retry: raw.integer('dns_config.soa.retry'),
      expire: raw.integer('dns_config.soa.expire'),
      minTtl: raw.integer('dns_config.soa.min_ttl'),
    },
    useCache: raw.boolean('dns_config.use_cache'),
    cacheMaxAgeMs: raw.durationMs('dns_config.cache_max_age'),
  };
}

function serviceTtls(written: Readonly<Record<string, string>>): Record<string, number> {
  const out = Object.create(null) as Record<string, number>;
  for (const [name, text] of Object.entries(written)) {
    const ttlMs = parseDuration(text);
    const key = `dns_config.service_ttl[${JSON.stringify(name)}]`;
    if (ttlMs === undefined) throw new ConfigError(`${key}: invalid duration: ${JSON.stringify(text)}`, { key });
    out[name] = ttlMs;
  }
  return out;
}

function contentPath(written: string): string {
  const trimmed = written.replace(/^\/+/, '').replace(/\/+$/, '');
  return trimmed === '' ? '/ui/' : `/${trimmed}/`;
}
