import type { ApiDeps } from '../deps.ts';
import { encodeJson } from '../reply/encode-json.ts';
import { catalogMetaHeaders, jsonReply, type Reply } from '../reply/reply.ts';
import type { ApiRequest } from '../request/api-request.ts';
import { refuseNamespace } from '../request/enterprise.ts';
import { readCall } from '../request/read-options.ts';
import { acl, type Route } from '../routing/route.ts';

/** /v1/operator/usage (consul-facts H138). */
export const operatorRoutes: readonly Route[] = [
  { method: 'GET', path: '/v1/operator/usage', acl: acl.server('operator', 'read'), handle: usage },
];

const LEVELS = { default: 'leader', consistent: 'consistent', stale: 'stale' } as const;

/** Consul's reply type is its own RPC type, read metadata included; clients know those fields. */
async function usage(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  refuseNamespace(request);
  const { value, meta } = await deps.server.call('Operator.Usage', {}, readCall(request));
  const body = {
    Usage: {
      [request.datacenter]: {
        Services: value.Services,
        ServiceInstances: value.ServiceInstances,
        ConnectServiceInstances: value.ConnectServiceInstances,
        BillableServiceInstances: value.BillableServiceInstances,
        Nodes: value.Nodes,
      },
    },
    Index: meta.index,
    LastContact: Math.trunc(meta.lastContactMs),
    KnownLeader: meta.knownLeader,
    ConsistencyLevel: LEVELS[meta.consistency],
    NotModified: false,
    Backend: 0,
    ResultsFilteredByACLs: meta.resultsFilteredByAcls,
  };
  return jsonReply(encodeJson(body, request.indent), catalogMetaHeaders(meta));
}
