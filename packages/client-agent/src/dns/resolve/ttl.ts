import type { RuntimeConfig } from '../../contracts/index.ts';

/** The TTL of a service's answers: its own, that of the longest matching `prefix*`, `*`, or 0 (consul-facts N020). */
export function serviceTtlSeconds(config: RuntimeConfig['dns'], service: string): number {
  if (Object.hasOwn(config.serviceTtlMs, service)) return toSeconds(config.serviceTtlMs[service] ?? 0);
  let best: string | undefined;
  for (const pattern of Object.keys(config.serviceTtlMs)) {
    if (!pattern.endsWith('*') || !service.startsWith(pattern.slice(0, -1))) continue;
    if (best === undefined || pattern.length > best.length) best = pattern;
  }
  return best === undefined ? 0 : toSeconds(config.serviceTtlMs[best] ?? 0);
}

export function toSeconds(durationMs: number): number {
  return Math.floor(durationMs / 1000);
}
