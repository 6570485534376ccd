import type { RuntimeConfig } from '../contracts/index.ts';

/** What a reload may change (consul-facts K004); everything else needs a restart. */
const RELOADABLE = [
  'tokens',
  'services',
  'checks',
  'watches',
  'configEntriesBootstrap',
  'discardCheckOutput',
  'nodeMeta',
  'enableCentralServiceConfig',
  'warnings',
] as const satisfies readonly (keyof RuntimeConfig)[];

/** The running configuration with the reloadable part of a new one. */
export function mergeReloaded(running: RuntimeConfig, loaded: RuntimeConfig): RuntimeConfig {
  const changed = Object.fromEntries(RELOADABLE.map((key) => [key, loaded[key]]));
  return Object.freeze({
    ...running,
    ...changed,
    log: Object.freeze({ ...running.log, level: loaded.log.level }),
    telemetry: Object.freeze({ ...running.telemetry, prefixFilter: loaded.telemetry.prefixFilter }),
    http: Object.freeze({
      ...running.http,
      maxConnectionsPerClient: loaded.http.maxConnectionsPerClient,
      certFile: loaded.http.certFile,
      keyFile: loaded.http.keyFile,
      caFile: loaded.http.caFile,
    }),
  });
}

/** Names of options that changed in the files but stay as they are until a restart: the operator should know. */
export function findIgnoredChanges(running: RuntimeConfig, loaded: RuntimeConfig): string[] {
  const compared: readonly (keyof RuntimeConfig)[] = [
    'nodeName',
    'datacenter',
    'dataDir',
    'server',
    'bindAddress',
    'ports',
    'httpListen',
    'dnsListen',
    'domain',
  ];
  return compared.filter((key) => JSON.stringify(running[key]) !== JSON.stringify(loaded[key]));
}
