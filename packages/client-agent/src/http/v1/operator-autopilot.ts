import { autopilotConfigurationRequest, DEFAULT_AUTOPILOT, LictorError } from '@lictor/protocol';
import type { ApiDeps } from '../deps.ts';
import { encodeJson } from '../reply/encode-json.ts';
import { booleanReply, jsonReply, type Reply, TRUE_REPLY } from '../reply/reply.ts';
import type { ApiRequest } from '../request/api-request.ts';
import { readJsonBody } from '../request/json-body.ts';
import { badRequest, readCall } from '../request/read-options.ts';
import { parseUint } from '../request/uint.ts';
import { write } from '../request/write-call.ts';
import { acl, type Route } from '../routing/route.ts';
import { autopilotConfigurationJson, autopilotHealthJson, autopilotStateJson } from '../views/autopilot.ts';

/** /v1/operator/autopilot (consul-facts H134-H137). */
export const operatorAutopilotRoutes: readonly Route[] = [
  { method: 'GET', path: '/v1/operator/autopilot/configuration', acl: acl.server('operator', 'read'), handle: configuration },
  { method: 'PUT', path: '/v1/operator/autopilot/configuration', acl: acl.server('operator', 'write'), handle: configure },
  { method: 'GET', path: '/v1/operator/autopilot/health', acl: acl.server('operator', 'read'), handle: health },
  { method: 'GET', path: '/v1/operator/autopilot/state', acl: acl.server('operator', 'read'), handle: state },
];

/** What load balancers and monitors look at. */
const UNHEALTHY = 429;

async function configuration(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const { value } = await deps.server.call('Operator.AutopilotGetConfiguration', {}, readCall(request));
  return jsonReply(encodeJson(autopilotConfigurationJson(value), request.indent));
}

/** Replaces the whole: what is not sent gets its default, not what it was. */
async function configure(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const sent = await readJsonBody(request, autopilotConfigurationRequest, {
    goStruct: 'AutopilotConfiguration',
    ignoredKeys: ['CreateIndex', 'ModifyIndex'],
    fail: (reason) => badRequest(`Error parsing autopilot config: ${reason}`),
  });
  const cas = parseCas(request);
  const value = await write('Operator.AutopilotSetConfiguration', { config: { ...DEFAULT_AUTOPILOT, ...sent }, ...cas }, request, deps);
  return cas.cas === undefined ? TRUE_REPLY : booleanReply(value);
}

function parseCas(request: ApiRequest): { readonly cas?: number } {
  if (!request.query.has('cas')) return {};
  try {
    return { cas: Number(parseUint(request.query.get('cas'))) };
  } catch (thrown) {
    throw badRequest(`Error parsing cas value: ${LictorError.from(thrown).message}`);
  }
}

async function health(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const { value } = await deps.server.call('Operator.AutopilotState', {}, readCall(request));
  return jsonReply(encodeJson(autopilotHealthJson(value), request.indent), [], value.Healthy ? 200 : UNHEALTHY);
}

async function state(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const { value } = await deps.server.call('Operator.AutopilotState', {}, readCall(request));
  return jsonReply(encodeJson(autopilotStateJson(value), request.indent));
}
