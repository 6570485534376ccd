import { ALL_OPTIONS, type Option } from '../options/index.ts';
import type { RawConfig } from './raw.ts';

const TLS_VERSIONS: Readonly<Record<string, string>> = { tls10: 'TLSv1_0', tls11: 'TLSv1_1', tls12: 'TLSv1_2', tls13: 'TLSv1_3' };

/** Moves old names to new ones, source by source as Consul does, so that a new name in the same source wins. */
export function deprecated(source: RawConfig): { readonly values: RawConfig; readonly warnings: readonly string[] } {
  const values = new Map(source);
  const warnings: string[] = [];
  for (const entry of ALL_OPTIONS as readonly Option[]) {
    if (entry.status !== 'deprecated' || entry.replacedBy === undefined || !values.has(entry.key)) continue;
    const old = values.get(entry.key);
    values.delete(entry.key);
    const current = values.get(entry.replacedBy);
    if (Array.isArray(current) && Array.isArray(old)) values.set(entry.replacedBy, [...(current as unknown[]), ...(old as unknown[])]);
    else if (current === undefined) values.set(entry.replacedBy, translate(entry.key, old));
    applySideEffects(entry.key, values);
    warnings.push(`The '${entry.key}' field is deprecated. Use the '${entry.replacedBy}' field instead.`);
  }
  return { values, warnings };
}

function translate(key: string, value: unknown): unknown {
  return key === 'tls_min_version' && typeof value === 'string' ? (TLS_VERSIONS[value] ?? value) : value;
}

function applySideEffects(key: string, values: Map<string, unknown>): void {
  if (key === 'acl_datacenter') values.set('acl.enabled', true);
  if (key === 'acl_replication_token') values.set('acl.enable_token_replication', true);
  // The old switch never reached gRPC.
  if (key === 'verify_incoming' && !values.has('tls.grpc.verify_incoming')) values.set('tls.grpc.verify_incoming', false);
}
