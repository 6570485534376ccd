import type { ConfigEntry } from '@lictor/protocol';
import { joinProblems } from '@lictor/mesh';
import { WILDCARD } from '@lictor/protocol';
import { configEntriesTable, configEntryKey, configEntryKindPrefix } from '../../state/tables/config-entries.ts';
import { foldName } from '../../state/tables/keys.ts';
import type { StateReader } from '../../state/types.ts';
import { isObject } from '../catalog/shapes.ts';
import { type EntryLookup, findChainProblem, isHttpLike, objectsOf, protocolOf } from './chain.ts';
import { findExportProblem, isExported, peerExportsOf } from './exports.ts';

/** A write (`next`) or a removal of one entry, not yet done. */
export interface ProposedChange {
  readonly kind: ConfigEntry['Kind'];
  readonly name: string;
  readonly next: ConfigEntry | undefined;
}

const PERMISSIVE = 'permissive';
const CHAIN_KINDS = ['service-router', 'service-splitter', 'service-resolver'] as const;

/**
 * What entries would contradict each other after the change, in Consul's words, or undefined.
 * - Intentions with L7 permissions need a destination whose protocol is http, http2 or grpc (E006).
 * - Permissive mutual TLS must be allowed by the mesh entry, unless it is already on (E001, E007).
 * - JWT providers that intentions name exist (E017).
 * - The discovery chains that the entry is part of can be compiled (E003-E005).
 * - Services that peers share stay in this datacenter (E010).
 * - No two kinds of gateway have one name (E008, E009).
 */
export function findGraphProblem(reader: StateReader, change: ProposedChange): string | undefined {
  const lookUp = lookUpAfter(reader, change);
  switch (change.kind) {
    case 'proxy-defaults':
      return (
        mutualTlsProblem(reader, change) ??
        firstProblem(chainsOfAll(reader), (service) => findChainProblem(lookUp, service)) ??
        firstProblem(allIntentions(reader), (entry) => protocolProblem(lookUp, entry))
      );
    case 'service-defaults':
    case 'service-router':
    case 'service-splitter':
    case 'service-resolver': {
      const intentions = lookUp('service-intentions', change.name);
      return (
        mutualTlsProblem(reader, change) ??
        firstProblem(chainsAround(reader, change.name), (service) => findChainProblem(lookUp, service)) ??
        resolverExportProblem(lookUp, change) ??
        (intentions === undefined ? undefined : protocolProblem(lookUp, intentions))
      );
    }
    case 'service-intentions':
      if (change.next === undefined) return undefined;
      return jwtProblem(reader, change.next) ?? protocolProblem(lookUp, change.next);
    case 'jwt-provider':
      if (change.next !== undefined) return undefined;
      return firstProblem(allIntentions(reader), (entry) => referenceProblem(change.name, entry));
    case 'exported-services':
      return exportsProblem(reader, lookUp, change);
    case 'ingress-gateway':
      return gatewayClash(lookUp, change, 'terminating-gateway');
    case 'terminating-gateway':
      return gatewayClash(lookUp, change, 'ingress-gateway');
    default:
      return undefined;
  }
}

function lookUpAfter(reader: StateReader, change: ProposedChange): EntryLookup {
  const key = configEntryKey(change.kind, change.name);
  return (kind, name) => (configEntryKey(kind, name) === key ? change.next : read(reader, kind, name));
}

/** The service itself and those whose chains send requests on to it. */
function chainsAround(reader: StateReader, service: string): ReadonlySet<string> {
  const linked = Array.from(reader.find(configEntriesTable, 'chain-link', foldName(service)), (entry) => entry.Name);
  return new Set([service, ...linked]);
}

function chainsOfAll(reader: StateReader): ReadonlySet<string> {
  const entries = CHAIN_KINDS.flatMap((kind) => [...reader.scan(configEntriesTable, configEntryKindPrefix(kind))]);
  return new Set(entries.map((entry) => entry.Name));
}

function exportsProblem(reader: StateReader, lookUp: EntryLookup, change: ProposedChange): string | undefined {
  const exports = peerExportsOf(change.next);
  const services = exports.has(WILDCARD) ? chainsOfAll(reader) : exports;
  return firstProblem(services, (service) => findExportProblem(lookUp, service));
}

function resolverExportProblem(lookUp: EntryLookup, change: ProposedChange): string | undefined {
  if (change.kind !== 'service-resolver' || change.next === undefined) return undefined;
  const exports = peerExportsOf(lookUp('exported-services', 'default'));
  return isExported(exports, change.name) ? findExportProblem(lookUp, change.name) : undefined;
}

function gatewayClash(lookUp: EntryLookup, change: ProposedChange, other: 'ingress-gateway' | 'terminating-gateway'): string | undefined {
  if (change.next === undefined || lookUp(other, change.name) === undefined) return undefined;
  const name = JSON.stringify(change.name);
  return `cannot create a ${JSON.stringify(change.kind)} config entry with name ${name}, a ${JSON.stringify(other)} config entry with that name already exists`;
}

function firstProblem<Item>(items: Iterable<Item>, find: (item: Item) => string | undefined): string | undefined {
  for (const entry of items) {
    const problem = find(entry);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function protocolProblem(lookUp: EntryLookup, intentions: ConfigEntry): string | undefined {
  const destination = intentions.Name;
  if (destination === WILDCARD || !hasPermissions(intentions)) return undefined;
  const protocol = protocolOf(lookUp, destination);
  if (isHttpLike(protocol)) return undefined;
  return `service ${JSON.stringify(destination)} has protocol ${JSON.stringify(protocol)}, which is incompatible with L7 intentions permissions`;
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
