import { type ConfigEntry, type GatewayService, WILDCARD } from '@lictor/protocol';
import { isObject } from '../../../fsm/catalog/shapes.ts';
import { protocolOf } from '../../../fsm/config-entries/chain.ts';
import {
  type ConfiguredGatewayService,
  configEntriesTable,
  configEntryKey,
  configEntryKindPrefix,
  type GatewayEntry,
  type GatewayKind,
  gatewayLink,
  gatewayServicesOf,
  isGateway,
} from '../../../state/tables/config-entries.ts';
import { foldName } from '../../../state/tables/keys.ts';
import { servicesTable } from '../../../state/tables/services.ts';
import type { StateReader } from '../../../state/types.ts';

/** Consul's own service, which no wildcard covers. */
const CONTROL_PLANE = 'consul';

/**
 * What the ingress and terminating gateway entries of that name lead to (consul-facts H077), by service, then port. Computed from the
 * entries and the catalog instead of kept beside them: there is no copy that could differ.
 */
export function findGatewayServices(reader: StateReader, gateway: string): readonly GatewayService[] {
  const links: GatewayService[] = [];
  for (const entry of reader.find(configEntriesTable, 'gateway', foldName(gateway))) {
    if (isGateway(entry)) links.push(...linksOf(reader, entry));
  }
  return links.sort((a, b) => compare(a.Service.Name, b.Service.Name) || (a.Port ?? 0) - (b.Port ?? 0));
}

/** Names of the gateways of a kind that lead to `service`, in order. */
export function findGatewaysOf(reader: StateReader, kind: GatewayKind, service: string): readonly string[] {
  const gateways = new Set<string>();
  for (const entry of reader.find(configEntriesTable, 'gateway-link', gatewayLink(kind, service))) gateways.add(entry.Name);
  const wildcards = [...reader.find(configEntriesTable, 'gateway-link', gatewayLink(kind, WILDCARD))];
  if (wildcards.length > 0 && isCovered(reader, kind, service)) for (const entry of wildcards) gateways.add(entry.Name);
  return [...gateways].sort();
}

function linksOf(reader: StateReader, entry: GatewayEntry): readonly GatewayService[] {
  const configured = gatewayServicesOf(entry);
  // A service that the entry names for that port is set up as named there, not as the wildcard says.
  const named = new Set(configured.map((item) => linkKey(item.Name, item)));
  return configured.flatMap((item) => {
    if (item.Name !== WILDCARD) return [toLink(reader, entry, item, item.Name)];
    const covered = candidates(reader, entry.Kind).filter((name) => !named.has(linkKey(name, item)) && isCovered(reader, entry.Kind, name));
    return covered
      .filter((name) => speaks(reader, item, name))
      .map((name) => ({ ...toLink(reader, entry, item, name), FromWildcard: true as const }));
  });
}

function linkKey(service: string, { listener }: ConfiguredGatewayService): string {
  return `${foldName(service)}:${Number(listener?.Port ?? 0)}`;
}

/** Names that a wildcard may stand for. */
function candidates(reader: StateReader, kind: GatewayKind): readonly string[] {
  const names = new Set<string>();
  for (const row of reader.scan(servicesTable)) if (row.Kind === '' && row.Service !== CONTROL_PLANE) names.add(row.Service);
  if (kind === 'terminating-gateway') {
    for (const entry of reader.scan(configEntriesTable, configEntryKindPrefix('service-defaults'))) {
      if (isObject(entry.Destination)) names.add(entry.Name);
    }
  }
  return [...names];
}

/** An ingress gateway can reach services in the mesh, a terminating gateway those outside of it. */
function isCovered(reader: StateReader, kind: GatewayKind, service: string): boolean {
  if (service === CONTROL_PLANE) return false;
  const typical = [...reader.find(servicesTable, 'service', foldName(service))].filter((row) => row.Kind === '');
  if (kind === 'terminating-gateway') return typical.some((row) => !row.Connect.Native) || isDestination(reader, service);
  return typical.length > 0 && !isEmpty(reader.find(servicesTable, 'connect', foldName(service)));
}

/** A listener's wildcard covers the services of its protocol only. */
function speaks(reader: StateReader, { listener }: ConfiguredGatewayService, service: string): boolean {
  return listener === undefined || listener.Protocol === protocolOf((kind, name) => read(reader, kind, name), service);
}

function toLink(reader: StateReader, entry: GatewayEntry, { fields, listener }: ConfiguredGatewayService, service: string): GatewayService {
  const common = { Gateway: { Name: entry.Name }, Service: { Name: service } };
  const { CreateIndex, ModifyIndex } = entry;
  if (listener !== undefined) {
    const hosts = Array.isArray(fields.Hosts) ? fields.Hosts.filter((host) => typeof host === 'string') : [];
    return {
      ...common,
      GatewayKind: 'ingress-gateway',
      Port: Number(listener.Port),
      ...text('Protocol', listener),
      ...(hosts.length === 0 ? {} : { Hosts: hosts }),
      CreateIndex,
      ModifyIndex,
    };
  }
  return {
    ...common,
    GatewayKind: 'terminating-gateway',
    ...text('CAFile', fields),
    ...text('CertFile', fields),
    ...text('KeyFile', fields),
    ...text('SNI', fields),
    ...serviceKind(reader, service),
    ...(fields.DisableAutoHostRewrite === true ? {} : { AutoHostRewrite: true }),
    CreateIndex,
    ModifyIndex,
  };
}

function serviceKind(reader: StateReader, service: string): Pick<GatewayService, 'ServiceKind'> {
  if (!isEmpty(reader.find(servicesTable, 'service', foldName(service)))) return { ServiceKind: 'service' };
  return isDestination(reader, service) ? { ServiceKind: 'destination' } : {};
}

function isDestination(reader: StateReader, service: string): boolean {
  return isObject(read(reader, 'service-defaults', service)?.Destination);
}

function read(reader: StateReader, kind: ConfigEntry['Kind'], name: string): ConfigEntry | undefined {
  return reader.get(configEntriesTable, configEntryKey(kind, name));
}

function text<Field extends string>(field: Field, source: Readonly<Record<string, unknown>>): { readonly [F in Field]?: string } {
  const value = source[field];
  return typeof value === 'string' && value !== '' ? ({ [field]: value } as { readonly [F in Field]: string }) : {};
}

function isEmpty(rows: Iterable<unknown>): boolean {
  for (const _row of rows) return false;
  return true;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
