import { type CallOptions, type ConfigEntry, type QueryMeta, WILDCARD } from '@lictor/protocol';
import type { ApiDeps } from '../deps.ts';
import { encodeJson } from '../reply/encode-json.ts';
import { catalogMetaHeaders, jsonReply, type Reply } from '../reply/reply.ts';
import type { ApiRequest } from '../request/api-request.ts';
import { refuseNamespace } from '../request/enterprise.ts';
import { badRequest, readCall } from '../request/read-options.ts';
import { acl, type Route } from '../routing/route.ts';

/** GET /v1/catalog/gateway-services/:gateway (consul-facts H077): what the gateway's configuration entry links to it. */
export const gatewayServicesRoutes: readonly Route[] = [
  { method: 'GET', path: '/v1/catalog/gateway-services/', acl: acl.server('service', 'read'), handle: gatewayServices },
];

interface LinkedService {
  readonly Name?: string;
  readonly CAFile?: string;
  readonly CertFile?: string;
  readonly KeyFile?: string;
  readonly SNI?: string;
  readonly Hosts?: readonly string[];
}

/** One service of a gateway, in the API's words. */
interface Link {
  readonly Service: { readonly Name: string };
  readonly [field: string]: unknown;
}

async function gatewayServices(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  refuseNamespace(request);
  const options = readCall(request);
  const gateway = request.rest;
  if (gateway === '') throw badRequest('Missing gateway name');
  const terminating = await readEntry('terminating-gateway', gateway, deps, options);
  if (terminating.entry !== null) {
    const links = fromTerminating(gateway, terminating.entry);
    return reply(request, terminating.meta, await expandWildcards(links, 'typical', deps, options));
  }
  const ingress = await readEntry('ingress-gateway', gateway, deps, options);
  if (ingress.entry === null) return reply(request, ingress.meta, []);
  return reply(request, ingress.meta, await expandWildcards(fromIngress(gateway, ingress.entry), 'mesh', deps, options));
}

interface FoundEntry {
  readonly entry: ConfigEntry | null;
  readonly meta: QueryMeta;
}

async function readEntry(kind: string, name: string, deps: ApiDeps, options: CallOptions): Promise<FoundEntry> {
  const { value, meta } = await deps.server.call('ConfigEntry.Get', { kind, name }, options);
  return { entry: value, meta };
}

/** `*` stands for every service that the gateway can serve and that no link names: those outside of the mesh, or those in it. */
async function expandWildcards(links: readonly Link[], kind: 'typical' | 'mesh', deps: ApiDeps, options: CallOptions): Promise<Link[]> {
  if (!links.some((link) => link.Service.Name === WILDCARD)) return [...links];
  const { token, datacenter } = options;
  const { value } = await deps.server.call('Catalog.ListServices', {}, { ...(token && { token }), ...(datacenter && { datacenter }) });
  const named = new Set(links.map((link) => link.Service.Name));
  const candidates = Object.keys(value)
    .filter((name) => name !== 'consul' && !named.has(name))
    .toSorted();
  const eligible: string[] = [];
  for (const service of candidates) if (await isEligible(service, kind, deps, options)) eligible.push(service);
  return links.flatMap((link) =>
    link.Service.Name === WILDCARD ? eligible.map((Name) => ({ ...link, Service: { Name }, FromWildcard: true })) : [link],
  );
}

async function isEligible(service: string, kind: 'typical' | 'mesh', deps: ApiDeps, { token, datacenter }: CallOptions): Promise<boolean> {
  const call = { ...(token && { token }), ...(datacenter && { datacenter }) };
  const { value: own } = await deps.server.call('Catalog.ServiceNodes', { service }, call);
  if (own.some((instance) => instance.service.Kind !== '')) return false;
  if (kind === 'typical') return true;
  const { value: mesh } = await deps.server.call('Catalog.ServiceNodes', { service, connect: true }, call);
  return mesh.length > 0;
}

function reply(request: ApiRequest, meta: QueryMeta, services: readonly object[]): Reply {
  return jsonReply(encodeJson(services, request.indent), catalogMetaHeaders(meta));
}

function fromTerminating(gateway: string, entry: ConfigEntry): Link[] {
  return listOf<LinkedService>(entry['Services']).map((service) => ({
    ...link(gateway, service, 'terminating-gateway'),
    CAFile: service.CAFile || undefined,
    CertFile: service.CertFile || undefined,
    KeyFile: service.KeyFile || undefined,
    SNI: service.SNI || undefined,
    ...indexes(entry),
  }));
}

function fromIngress(gateway: string, entry: ConfigEntry): Link[] {
  const listeners = listOf<{ readonly Port?: number; readonly Protocol?: string; readonly Services?: unknown }>(entry['Listeners']);
  return listeners.flatMap((listener) =>
    listOf<LinkedService>(listener.Services).map((service) => ({
      ...link(gateway, service, 'ingress-gateway'),
      Port: listener.Port,
      Protocol: listener.Protocol,
      Hosts: service.Hosts,
      ...indexes(entry),
    })),
  );
}

function link(gateway: string, service: LinkedService, kind: string): Link {
  return {
    Gateway: { Name: gateway },
    Service: { Name: service.Name ?? '' },
    GatewayKind: kind,
    ServiceKind: '',
  };
}

function indexes({ CreateIndex, ModifyIndex }: ConfigEntry): object {
  return { CreateIndex, ModifyIndex };
}

function listOf<T>(value: unknown): readonly T[] {
  return Array.isArray(value) ? (value as T[]) : [];
}
