import { join } from 'node:path';
import type { RuntimeConfig } from '@lictor/client-agent';
import { caConfigurationRequest, decode } from '@lictor/protocol';
import { createServerConfig, type ServerConfig } from '@lictor/server';

/** What the server part needs of the agent's configuration. */
export function toServerConfig(config: RuntimeConfig): ServerConfig {
  const { caConfig, caProvider, enabled } = config.connect;
  const hasCaConfig = Object.keys(caConfig).length > 0 || caProvider !== 'consul';
  return createServerConfig({
    datacenter: config.datacenter,
    nodeName: config.nodeName,
    nodeId: config.nodeId,
    rpcAddress: `${config.advertiseAddress}:${config.ports.server}`,
    grpcPort: Math.max(0, config.ports.grpc),
    grpcTlsPort: Math.max(0, config.ports.grpcTls),
    dataDir: config.dataDir === null ? null : join(config.dataDir, 'server'),
    connectEnabled: enabled,
    caConfig: hasCaConfig ? decode(caConfigurationRequest, { Provider: caProvider, Config: toApiKeys(caConfig) }) : null,
    defaultIntentionPolicy: config.defaultIntentionPolicy === '' ? config.aclDefaultPolicy : config.defaultIntentionPolicy,
    bootstrapConfigEntries: config.configEntriesBootstrap,
    sessionTtlMinMs: config.sessionTtlMinMs,
    defaultQueryTimeMs: config.defaultQueryTimeMs,
    maxQueryTimeMs: config.maxQueryTimeMs,
  });
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
