import type { ConfigEntry } from '@lictor/protocol';
import { joinProblems } from '@lictor/mesh';
import { WILDCARD } from '@lictor/protocol';
import { configEntriesTable, configEntryKey, configEntryKindPrefix } from '../../state/tables/config-entries.ts';
import type { StateReader } from '../../state/types.ts';

/** A write (`next`) or a removal of one entry, not yet done. */
export interface ProposedChange {
  readonly kind: ConfigEntry['Kind'];
  readonly name: string;
  readonly next: ConfigEntry | undefined;
}

const HTTP_LIKE: ReadonlySet<string> = new Set(['http', 'http2', 'grpc']);
const PERMISSIVE = 'permissive';

/**
 * What entries would contradict each other after the change, in Consul's words, or undefined.
 * - Intentions with L7 permissions need a destination whose protocol is http, http2 or grpc (E006).
 * - Permissive mutual TLS must be allowed by the mesh entry, unless it is already on (E001, E007).
 * - JWT providers that intentions name exist (E017).
 */
export function findGraphProblem(reader: StateReader, change: ProposedChange): string | undefined {
  switch (change.kind) {
    case 'proxy-defaults':
      return mutualTlsProblem(reader, change) ?? firstProblem(allIntentions(reader), (entry) => protocolProblem(reader, change, entry));
    case 'service-defaults': {
      const intentions = read(reader, 'service-intentions', change.name);
      return mutualTlsProblem(reader, change) ?? (intentions === undefined ? undefined : protocolProblem(reader, change, intentions));
    }
    case 'service-intentions':
      if (change.next === undefined) return undefined;
      return jwtProblem(reader, change.next) ?? protocolProblem(reader, change, change.next);
    case 'jwt-provider':
      if (change.next !== undefined) return undefined;
      return firstProblem(allIntentions(reader), (entry) => referenceProblem(change.name, entry));
    default:
      return undefined;
  }
}

function firstProblem(entries: Iterable<ConfigEntry>, find: (entry: ConfigEntry) => string | undefined): string | undefined {
  for (const entry of entries) {
    const problem = find(entry);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function protocolProblem(reader: StateReader, change: ProposedChange, intentions: ConfigEntry): string | undefined {
  const destination = intentions.Name;
  if (destination === WILDCARD || !hasPermissions(intentions)) return undefined;
  const protocol = protocolOf(reader, destination, change);
  if (HTTP_LIKE.has(protocol)) return undefined;
  return `service ${JSON.stringify(destination)} has protocol ${JSON.stringify(protocol)}, which is incompatible with L7 intentions permissions`;
}

/** The protocol of a service as it is, or as it would be after `change`: its own, else the mesh's default, else tcp. */
export function protocolOf(reader: StateReader, service: string, change?: ProposedChange): string {
  const current = (kind: 'service-defaults' | 'proxy-defaults', name: string): ConfigEntry | undefined =>
    change?.kind === kind && change.name.toLowerCase() === name.toLowerCase() ? change.next : read(reader, kind, name);
  const own = current('service-defaults', service)?.Protocol;
  if (typeof own === 'string' && own !== '') return own;
  const config = current('proxy-defaults', 'global')?.Config;
  const shared = isObject(config) && Object.hasOwn(config, 'protocol') ? config.protocol : undefined;
  return typeof shared === 'string' && shared !== '' ? shared : 'tcp';
}

function mutualTlsProblem(reader: StateReader, change: ProposedChange): string | undefined {
  if (change.next?.MutualTLSMode !== PERMISSIVE) return undefined;
  if (read(reader, change.kind, change.name)?.MutualTLSMode === PERMISSIVE) return undefined;
  if (read(reader, 'mesh', 'mesh')?.AllowEnablingPermissiveMutualTLS === true) return undefined;
  return 'cannot set MutualTLSMode=permissive because AllowEnablingPermissiveMutualTLS=false in the mesh config entry';
}

function jwtProblem(reader: StateReader, intentions: ConfigEntry): string | undefined {
  const missing = providersOf(intentions).filter((name) => read(reader, 'jwt-provider', name) === undefined);
  if (missing.length === 0) return undefined;
  return joinProblems(missing.map((name) => `Referenced JWT Provider does not exist. Provider Name: ${name}`));
}

function referenceProblem(provider: string, intentions: ConfigEntry): string | undefined {
  if (!providersOf(intentions).includes(provider)) return undefined;
  return `cannot delete jwt provider config entry referenced by an intention. Provider name: ${provider}, intention name: ${intentions.Name}`;
}

function providersOf(intentions: ConfigEntry): string[] {
  const requirements = [intentions.JWT, ...permissionsOf(intentions).map((permission) => permission.JWT)];
  const names = requirements.flatMap((jwt) => (isObject(jwt) ? objectsOf(jwt.Providers) : [])).map((provider) => String(provider.Name));
  return [...new Set(names)];
}

function hasPermissions(intentions: ConfigEntry): boolean {
  return permissionsOf(intentions).length > 0;
}

function permissionsOf(intentions: ConfigEntry): readonly Readonly<Record<string, unknown>>[] {
  return objectsOf(intentions.Sources).flatMap((source) => objectsOf(source.Permissions));
}

function allIntentions(reader: StateReader): Iterable<ConfigEntry> {
  return reader.scan(configEntriesTable, configEntryKindPrefix('service-intentions'));
}

function read(reader: StateReader, kind: string, name: string): ConfigEntry | undefined {
  return reader.get(configEntriesTable, configEntryKey(kind, name));
}

function objectsOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
