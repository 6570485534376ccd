import type { ConfigEntry } from '@lictor/protocol';
import type { Table } from '../types.ts';
import { compositeKey, foldName, keyPrefix } from './keys.ts';

/** Config entries by (kind, name); intentions are the entries of kind `service-intentions` (consul-facts D4). */
export const configEntriesTable: Table<ConfigEntry> = {
  name: 'config-entries',
  key: (row) => configEntryKey(row.Kind, row.Name),
  indexes: {
    /** Destinations that name a source, for matches by source. */
    'intention-source': (row) => sourcesOf(row).map((source) => foldName(source.Name)),
    /** Routers, splitters and resolvers by the services that they send requests on to. */
    'chain-link': (row) => chainLinksOf(row).map(foldName),
    /** Ingress and terminating gateways by name, so that one of another kind under that name changes nothing. */
    gateway: (row) => (isGateway(row) ? [foldName(row.Name)] : []),
    /** The same by what they lead to, `*` included. */
    'gateway-link': (row) =>
      isGateway(row) ? [...new Set(gatewayServicesOf(row).map((service) => gatewayLink(row.Kind, service.Name)))] : [],
    /** Ids given out by the deprecated intention API. */
    'intention-id': (row) => sourcesOf(row).flatMap((source) => (source.LegacyID === '' ? [] : [foldName(source.LegacyID)])),
  },
};

export function configEntryKey(kind: string, name: string): string {
  return compositeKey(kind, name);
}

/** All entries of one kind. */
export function configEntryKindPrefix(kind: string): string {
  return keyPrefix(kind);
}

/** The value of the index `gateway-link` under which entries of `kind` are found that name `service`. */
export function gatewayLink(kind: GatewayKind, service: string): string {
  return compositeKey(kind, service);
}

export type GatewayKind = 'ingress-gateway' | 'terminating-gateway';
export type GatewayEntry = ConfigEntry & { readonly Kind: GatewayKind };

export function isGateway(entry: ConfigEntry): entry is GatewayEntry {
  return entry.Kind === 'ingress-gateway' || entry.Kind === 'terminating-gateway';
}

/** One service of a gateway's entry, with the listener it is behind. */
export interface ConfiguredGatewayService {
  readonly Name: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly listener: Readonly<Record<string, unknown>> | undefined;
}

export function gatewayServicesOf(entry: GatewayEntry): readonly ConfiguredGatewayService[] {
  if (entry.Kind === 'terminating-gateway') {
    return objectsOf(entry.Services).map((fields) => ({ Name: textOf(fields.Name), fields, listener: undefined }));
  }
  return objectsOf(entry.Listeners).flatMap((listener) =>
    objectsOf(listener.Services).map((fields) => ({ Name: textOf(fields.Name), fields, listener })),
  );
}

function sourcesOf(entry: ConfigEntry): readonly { readonly Name: string; readonly LegacyID: string }[] {
  if (entry.Kind !== 'service-intentions') return [];
  return objectsOf(entry.Sources).map((source) => ({ Name: textOf(source.Name), LegacyID: textOf(source.LegacyID) }));
}

/** Services that a router, splitter or resolver sends requests on to. */
function chainLinksOf(entry: ConfigEntry): readonly string[] {
  switch (entry.Kind) {
    case 'service-router':
      return namesOf(objectsOf(entry.Routes).map((route) => route.Destination));
    case 'service-splitter':
      return namesOf(objectsOf(entry.Splits));
    case 'service-resolver': {
      const failovers = isObject(entry.Failover) ? Object.values(entry.Failover).filter(isObject) : [];
      return namesOf([entry.Redirect, ...failovers, ...failovers.flatMap((failover) => objectsOf(failover.Targets))]);
    }
    default:
      return [];
  }
}

function namesOf(places: readonly unknown[]): readonly string[] {
  const names = places.map((place) => (isObject(place) ? textOf(place.Service) : ''));
  return [...new Set(names.filter((name) => name !== ''))];
}

function objectsOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
