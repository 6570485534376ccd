import type { HealthCheck, NodeService } from '@lictor/protocol';
import type { ApiDeps } from '../../deps.ts';
import { encodeJson } from '../../reply/encode-json.ts';
import { JSON_TYPE, type Reply } from '../../reply/reply.ts';
import type { ApiRequest } from '../../request/api-request.ts';
import { refuseNamespace } from '../../request/enterprise.ts';
import { badRequest } from '../../request/read-options.ts';
import { requireAccess } from '../../routing/authorize.ts';
import { acl, type Route } from '../../routing/route.ts';
import { agentServiceJson } from '../../views/agent-service.ts';
import { agentHealthCheckJson } from '../../views/check.ts';

/** /v1/agent/health (consul-facts H053-H054): the worst state as a status code, for load balancers. */
export const agentHealthRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/v1/agent/health/service/name/',
    acl: acl.local('service', 'read', (request) => request.rest),
    handle: byName,
  },
  { method: 'GET', path: '/v1/agent/health/service/id/', acl: acl.items('service', 'read'), handle: byId },
];

type Aggregate = 'passing' | 'warning' | 'critical' | 'maintenance';

const STATUS_CODES: Readonly<Record<Aggregate, number>> = { passing: 200, warning: 429, critical: 503, maintenance: 503 };

function byName(request: ApiRequest, deps: ApiDeps): Reply {
  const name = request.rest;
  if (name === '') throw badRequest('Missing service Name');
  refuseNamespace(request);
  let worst: Aggregate | undefined;
  const body: object[] = [];
  for (const service of deps.services.list().values()) {
    if (service.Service !== name) continue;
    const { status, json } = describe(service, request, deps);
    if (worst === undefined || STATUS_CODES[status] > STATUS_CODES[worst]) worst = status;
    body.push(json);
  }
  const reason = worst ?? `ServiceName ${name} Not Found`;
  return reply(request, worst === undefined ? 404 : STATUS_CODES[worst], reason, body);
}

async function byId(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const id = request.rest;
  if (id === '') throw badRequest('Missing serviceID');
  refuseNamespace(request);
  const service = deps.services.get(id);
  if (request.config.aclEnabled) await requireAccess(request, deps, 'service', 'read', service?.Service ?? id);
  if (service === undefined) {
    return reply(request, 404, `ServiceId ${id} not found`, { AggregatedStatus: 'critical', Service: null, Checks: null });
  }
  const { status, json } = describe(service, request, deps);
  return reply(request, STATUS_CODES[status], status, json);
}

function describe(service: NodeService, request: ApiRequest, deps: ApiDeps): { readonly status: Aggregate; readonly json: object } {
  const checks = [...deps.checks.list().values()].filter((check) => check.ServiceID === '' || check.ServiceID === service.ID);
  const status = aggregate(checks);
  const json = {
    AggregatedStatus: status,
    Service: agentServiceJson(service, request.config.datacenter),
    Checks: checks.map(agentHealthCheckJson),
  };
  return { status, json };
}

/** Maintenance hides everything else, then the worst check decides; no checks at all is passing. */
function aggregate(checks: readonly HealthCheck[]): Aggregate {
  let worst: Aggregate = 'passing';
  for (const check of checks) {
    if (check.CheckID === '_node_maintenance' || check.CheckID.startsWith('_service_maintenance:')) return 'maintenance';
    if (check.Status === 'critical') worst = 'critical';
    else if (check.Status === 'warning' && worst === 'passing') worst = 'warning';
  }
  return worst;
}

function reply(request: ApiRequest, status: number, reason: string, body: object): Reply {
  const headers = ['X-Consul-Reason', headerSafe(reason)];
  if (wantsText(request)) return { status, contentType: 'text/plain', headers, body: reason };
  return { status, contentType: JSON_TYPE, headers, body: encodeJson(body, request.indent) };
}

/** The reason repeats the path: what a header cannot hold must not break the answer. */
function headerSafe(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}

function wantsText(request: ApiRequest): boolean {
  return request.header('accept').startsWith('text/plain') || request.query.get('format') === 'text';
}
