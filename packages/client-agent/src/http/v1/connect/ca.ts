import { caConfigurationRequest } from '@lictor/protocol';
import type { ApiDeps } from '../../deps.ts';
import { encodeJson } from '../../reply/encode-json.ts';
import { EMPTY_REPLY, jsonReply, metaHeaders, type Reply } from '../../reply/reply.ts';
import type { ApiRequest } from '../../request/api-request.ts';
import { parseGoBoolean } from '../../request/boolean.ts';
import { readJsonBody } from '../../request/json-body.ts';
import { badRequest, readCall } from '../../request/read-options.ts';
import { write } from '../../request/write-call.ts';
import { acl, type Route } from '../../routing/route.ts';
import { caConfigurationJson, caRootsView } from '../../views/connect.ts';

/** /v1/connect/ca (consul-facts H095-H097). */
export const connectCaRoutes: readonly Route[] = [
  { method: 'GET', path: '/v1/connect/ca/roots', acl: acl.none, handle: roots },
  { method: 'GET', path: '/v1/connect/ca/configuration', acl: acl.server('operator', 'write'), handle: configuration },
  { method: 'PUT', path: '/v1/connect/ca/configuration', acl: acl.server('operator', 'write'), handle: configure },
];

async function roots(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const options = readCall(request);
  const pem = parsePem(request);
  const { value, meta } = await deps.server.call('ConnectCA.Roots', {}, options);
  if (!pem) return jsonReply(caRootsView(value, request.indent), metaHeaders(meta));
  const body = value.Roots.flatMap((root) => [root.RootCert, ...(root.IntermediateCerts ?? [])]).join('');
  // RFC 8555 section 9.1.
  return { status: 200, contentType: 'application/pem-certificate-chain', headers: [], body };
}

function parsePem(request: ApiRequest): boolean {
  const text = request.query.get('pem');
  const pem = text === '' ? false : parseGoBoolean(text);
  if (pem === undefined) throw badRequest("The 'pem' query parameter must be a boolean value");
  return pem;
}

async function configuration(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const { value } = await deps.server.call('ConnectCA.ConfigurationGet', {}, readCall(request));
  return jsonReply(encodeJson(caConfigurationJson(value), request.indent));
}

const IGNORED_KEYS = ['CreateIndex', 'ModifyIndex', 'ClusterID'];

async function configure(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const body = await readJsonBody(request, caConfigurationRequest, { goStruct: 'Alias', ignoredKeys: IGNORED_KEYS });
  await write('ConnectCA.ConfigurationSet', body, request, deps);
  return EMPTY_REPLY;
}
