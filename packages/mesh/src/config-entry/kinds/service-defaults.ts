import { isIP } from 'node:net';
import type { schema } from '@lictor/protocol';
import { findMetaProblems, joinProblems, rejected } from '../../problems.ts';
import { defineKind } from '../kind.ts';
import { commonFields, int, kept, listOf, opaque, pointer, struct, text } from '../../shape/index.ts';
import { envoyExtensions, expose, findExtensionProblems, meshGateway, transparentProxy, validateMutualTlsMode } from './common.ts';
import { findUpstreamConfigProblems, normaliseUpstreamConfig, upstreamConfig } from './upstream-config.ts';

export const serviceDefaultsShape = struct({
  ...commonFields,
  Protocol: kept(text()),
  Mode: text(),
  TransparentProxy: transparentProxy,
  MutualTLSMode: text(),
  MeshGateway: meshGateway,
  Expose: expose,
  ExternalSNI: text(),
  UpstreamConfig: pointer(struct({ Overrides: listOf(upstreamConfig), Defaults: pointer(upstreamConfig) })),
  Destination: pointer(struct({ Addresses: listOf(text()), Port: int() })),
  MaxInboundConnections: int(),
  LocalConnectTimeoutMs: int(),
  LocalRequestTimeoutMs: int(),
  BalanceInboundConnections: text(),
  RateLimits: pointer(opaque()),
  EnvoyExtensions: envoyExtensions,
});
export type ServiceDefaults = schema.Infer<typeof serviceDefaultsShape>;

const PROTOCOLS = ['', 'http', 'http2', 'grpc', 'tcp'];
const HOSTNAME = /^(?=.{1,253}\.?$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*\.?$/;

export const serviceDefaults = defineKind<ServiceDefaults>({
  kind: 'service-defaults',
  shape: serviceDefaultsShape,
  normalise: (entry) => {
    entry.Protocol = entry.Protocol.toLowerCase();
    for (const override of entry.UpstreamConfig?.Overrides ?? []) normaliseUpstreamConfig(override);
    if (entry.UpstreamConfig?.Defaults !== undefined) normaliseUpstreamConfig(entry.UpstreamConfig.Defaults);
  },
  validate: (entry) => {
    if (entry.Name === '') throw rejected('Name is required');
    if (entry.Name === '*') throw rejected('service-defaults name must be the name of a service, and not a wildcard');
    const problems = findProblems(entry);
    validateMutualTlsMode(entry.MutualTLSMode);
    if (problems.length > 0) throw rejected(joinProblems(problems));
  },
});

function findProblems(entry: ServiceDefaults): string[] {
  const problems = findMetaProblems(entry.Meta);
  if (entry.BalanceInboundConnections !== '' && entry.BalanceInboundConnections !== 'exact_balance') {
    problems.push(`invalid value for balance_inbound_connections: ${entry.BalanceInboundConnections}`);
  }
  if (!PROTOCOLS.includes(entry.Protocol)) problems.push(`invalid value for protocol: ${entry.Protocol}`);
  if (entry.UpstreamConfig !== undefined && entry.Destination !== undefined) {
    problems.push('UpstreamConfig and Destination are mutually exclusive for service defaults');
    return problems;
  }
  for (const override of entry.UpstreamConfig?.Overrides ?? []) {
    const found = findUpstreamConfigProblems(override, true);
    if (found.length > 0) problems.push(`error in upstream override for ${describeOverride(override.Name, override.Peer)}: ${nest(found)}`);
  }
  const defaults = entry.UpstreamConfig?.Defaults;
  const found = defaults === undefined ? [] : findUpstreamConfigProblems(defaults, false);
  if (found.length > 0) problems.push(`error in upstream defaults: ${nest(found)}`);
  if (entry.Destination !== undefined) problems.push(...findDestinationProblems(entry.Destination));
  if (entry.RateLimits !== undefined) problems.push('invalid rate_limits config. Rate limiting is a consul enterprise feature');
  problems.push(...findExtensionProblems(entry.EnvoyExtensions));
  return problems;
}

function findDestinationProblems(destination: NonNullable<ServiceDefaults['Destination']>): string[] {
  const problems: string[] = [];
  if (destination.Addresses.length === 0) problems.push('Destination must contain at least one valid address');
  const seen = new Set<string>();
  for (const address of destination.Addresses) {
    if (seen.has(address)) {
      problems.push(`Duplicate address '${address}' is not allowed`);
      continue;
    }
    seen.add(address);
    if (isIP(address) === 0 && !HOSTNAME.test(address)) {
      problems.push(`Destination address '${address}' is invalid Could not validate address ${address} as an IP or Hostname`);
    }
  }
  if (destination.Port < 1 || destination.Port > 65_535) problems.push(`Invalid Port number ${destination.Port}`);
  return problems;
}

function describeOverride(name: string, peer: string): string {
  return peer === '' ? name : `${peer}/${name}`;
}

/** The words for name problems stand alone in Consul, those for values in a list of their own. */
function nest(problems: readonly string[]): string {
  const [first = ''] = problems;
  const alone = /^(Name|Wildcard) /.test(first);
  return alone ? first : joinProblems(problems);
}
