import { isDeepStrictEqual } from 'node:util';
import type { RuntimeConfig } from '../contracts/index.ts';

/** What a reload may change (consul-facts K004); everything else needs a restart. */
const RELOADABLE = [
  'tokens',
  'services',
  'checks',
  'watches',
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
    limits: Object.freeze({ ...running.limits, rpcClientTimeoutMs: loaded.limits.rpcClientTimeoutMs }),
    http: Object.freeze({ ...running.http, maxConnectionsPerClient: loaded.http.maxConnectionsPerClient }),
  });
}

/** Names of settings that differ in the files but stay as they are until a restart: the operator should know. */
export function findIgnoredChanges(running: RuntimeConfig, loaded: RuntimeConfig): string[] {
  const next = mergeReloaded(running, loaded);
  const keys = (Object.keys(loaded) as (keyof RuntimeConfig)[]).filter((key) => key !== 'tokens' && key !== 'nodeId');
  return keys.filter((key) => !isDeepStrictEqual(next[key], loaded[key]));
}
