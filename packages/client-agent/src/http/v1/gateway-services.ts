import type { CallOptions, ConfigEntry, QueryMeta } from '@lictor/protocol';
import type { ApiDeps } from '../deps.ts';
import { encodeJson } from '../reply/json.ts';
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

async function gatewayServices(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  refuseNamespace(request);
  const options = readCall(request);
  const gateway = request.rest;
  if (gateway === '') throw badRequest('Missing gateway name');
  const terminating = await readEntry('terminating-gateway', gateway, deps, options);
  if (terminating.entry !== null) return reply(request, terminating.meta, fromTerminating(gateway, terminating.entry));
  const ingress = await readEntry('ingress-gateway', gateway, deps, options);
  return reply(request, ingress.meta, ingress.entry === null ? [] : fromIngress(gateway, ingress.entry));
}

interface FoundEntry {
  readonly entry: ConfigEntry | null;
  readonly meta: QueryMeta;
}

async function readEntry(kind: string, name: string, deps: ApiDeps, options: CallOptions): Promise<FoundEntry> {
  const { value, meta } = await deps.server.call('ConfigEntry.Get', { kind, name }, options);
  return { entry: value, meta };
}

function reply(request: ApiRequest, meta: QueryMeta, services: readonly object[]): Reply {
  return jsonReply(encodeJson(services, request.indent), catalogMetaHeaders(meta));
}

function fromTerminating(gateway: string, entry: ConfigEntry): object[] {
  return listOf<LinkedService>(entry['Services']).map((service) => ({
    ...link(gateway, service, 'terminating-gateway'),
    CAFile: service.CAFile || undefined,
    CertFile: service.CertFile || undefined,
    KeyFile: service.KeyFile || undefined,
    SNI: service.SNI || undefined,
    ...indexes(entry),
  }));
}

function fromIngress(gateway: string, entry: ConfigEntry): object[] {
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

function link(gateway: string, service: LinkedService, kind: string): object {
  return {
    Gateway: { Name: gateway },
    Service: { Name: service.Name ?? '' },
    GatewayKind: kind,
    FromWildcard: service.Name === '*' || undefined,
    ServiceKind: '',
  };
}

function indexes({ CreateIndex, ModifyIndex }: ConfigEntry): object {
  return { CreateIndex, ModifyIndex };
}

function listOf<T>(value: unknown): readonly T[] {
  return Array.isArray(value) ? (value as T[]) : [];
}
