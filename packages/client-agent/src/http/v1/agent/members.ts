import { agentMemberFilterType } from '@lictor/mesh';
import { LictorError } from '@lictor/protocol';
import type { ApiDeps } from '../../deps.ts';
import { encodeJson } from '../../reply/encode-json.ts';
import { jsonReply, type Reply } from '../../reply/reply.ts';
import type { ApiRequest } from '../../request/api-request.ts';
import { refusePartition } from '../../request/enterprise.ts';
import { badRequest } from '../../request/read-options.ts';
import { acl, type Route } from '../../routing/route.ts';
import { filterItems } from './filtered.ts';

/** GET /v1/agent/members (consul-facts H041). */
export const agentMembersRoutes: readonly Route[] = [
  { method: 'GET', path: '/v1/agent/members', acl: acl.items('node', 'read'), handle: members },
];

async function members(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const wan = request.query.get('wan') !== '';
  const segment = request.query.get('segment');
  if (wan && segment !== '' && segment !== '_all') throw badRequest('Cannot provide a segment with wan=true');
  refusePartition(request);
  if (segment !== '' && segment !== '_all')
    throw new LictorError('rejected', 'Network segments are not supported in this version of Consul');
  const { items, headers } = await filterItems(
    deps.membership.members(wan),
    (authorizer, member) => authorizer.allows('node', member.Name, 'read'),
    agentMemberFilterType,
    request,
    deps,
  );
  return jsonReply(encodeJson(items, request.indent), headers);
}
