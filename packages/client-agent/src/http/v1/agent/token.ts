import { LictorError, schema, Secret } from '@lictor/protocol';
import type { AgentTokenKind, ApiDeps } from '../../deps.ts';
import { EMPTY_REPLY, type Reply } from '../../reply/reply.ts';
import type { ApiRequest } from '../../request/api-request.ts';
import { readJsonBody } from '../../request/json-body.ts';
import { acl, type Route } from '../../routing/route.ts';

/** PUT /v1/agent/token/:type (consul-facts H050). */
export const agentTokenRoutes: readonly Route[] = [{ method: 'PUT', path: '/v1/agent/token/', acl: acl.agent('write'), handle: setToken }];

/** Names of three generations of Consul. */
const KINDS: ReadonlyMap<string, AgentTokenKind> = new Map([
  ['default', 'default'],
  ['acl_token', 'default'],
  ['agent', 'agent'],
  ['acl_agent_token', 'agent'],
  ['agent_recovery', 'agentRecovery'],
  ['agent_master', 'agentRecovery'],
  ['acl_agent_master_token', 'agentRecovery'],
  ['replication', 'replication'],
  ['acl_replication_token', 'replication'],
  ['config_file_service_registration', 'configFileRegistration'],
  ['dns', 'dns'],
  ['dns_token', 'dns'],
]);

const tokenBody = schema.object({ Token: schema.string() });

async function setToken(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  if (!request.config.aclEnabled) throw new LictorError('acl-disabled', 'ACL support disabled');
  const { Token } = await readJsonBody(request, tokenBody, { goStruct: 'AgentToken' });
  const kind = KINDS.get(request.rest);
  if (kind === undefined) throw new LictorError('not-found', `Token ${JSON.stringify(request.rest)} is unknown`);
  await deps.tokens.set(kind, new Secret(Token));
  return EMPTY_REPLY;
}
