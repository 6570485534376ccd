import { schema } from '@lictor/protocol';
import type { ApiDeps } from '../deps.ts';
import { encodeJson } from '../reply/encode-json.ts';
import { jsonReply, type Reply } from '../reply/reply.ts';
import type { ApiRequest } from '../request/api-request.ts';
import { refuseNamespace } from '../request/enterprise.ts';
import { readJsonBody } from '../request/json-body.ts';
import { write } from '../request/write-call.ts';
import { acl, type Route } from '../routing/route.ts';

/** PUT /v1/internal/service-virtual-ip (consul-facts H151). */
export const serviceVirtualIpRoutes: readonly Route[] = [
  { method: 'PUT', path: '/v1/internal/service-virtual-ip', acl: acl.server('mesh', 'write'), handle: assign },
];

const { object, string, list } = schema;
const assignment = object({ Service: string(), ManualVIPs: list(string()), Datacenter: string() });

async function assign(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  refuseNamespace(request);
  const body = await readJsonBody(request, assignment, { goStruct: 'AssignServiceManualVIPsRequest' });
  const value = await write('Catalog.AssignManualIps', { service: body.Service, addresses: body.ManualVIPs }, request, deps, {
    token: request.token,
    datacenter: body.Datacenter || request.config.datacenter,
  });
  const unassigned = value.unassignedFrom.map((name) => ({ ServiceName: { Name: name }, Peer: '' }));
  const reply = { Found: value.found, UnassignedFrom: unassigned.length === 0 ? null : unassigned };
  return jsonReply(encodeJson(reply, request.indent));
}
