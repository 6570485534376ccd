import { type ConfigEntry, WILDCARD } from '@lictor/protocol';
import { isObject } from '../catalog/shapes.ts';
import { type EntryLookup, objectsOf } from './chain.ts';

/** Names that an `exported-services` entry shares with peers; the wildcard stands for all. */
export function peerExportsOf(entry: ConfigEntry | undefined): ReadonlySet<string> {
  const shared = objectsOf(entry?.Services).filter((service) => objectsOf(service.Consumers).some(({ Peer: peer }) => isText(peer)));
  return new Set(shared.map((service) => String(service.Name)));
}

export function isExported(exports: ReadonlySet<string>, service: string): boolean {
  return exports.has(service) || exports.has(WILDCARD);
}

/** Why a service cannot be shared with peers, who reach this datacenter only (consul-facts E010), in Consul's words. */
export function findExportProblem(lookUp: EntryLookup, service: string): string | undefined {
  const resolver = lookUp('service-resolver', service);
  const contains = `peer exported service ${JSON.stringify(service)} contains`;
  if (isObject(resolver?.Redirect)) {
    if (isText(resolver.Redirect.Datacenter)) return `${contains} cross-datacenter resolver redirect`;
    if (isText(resolver.Redirect.Peer)) return `${contains} cross-peer resolver redirect`;
  }
  const failovers = isObject(resolver?.Failover) ? Object.values(resolver.Failover).filter(isObject) : [];
  const leaves = failovers.some(({ Datacenters: datacenters, Targets: targets }) => {
    const hasDatacenters = Array.isArray(datacenters) && datacenters.length > 0;
    return hasDatacenters || objectsOf(targets).some(({ Datacenter: datacenter }) => isText(datacenter));
  });
  return leaves ? `${contains} cross-datacenter failover` : undefined;
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}
