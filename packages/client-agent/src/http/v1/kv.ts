import type { CallOptions, KvEntry, KvOperation } from '@lictor/protocol';
import type { ApiDeps } from '../deps.ts';
import { absentReply, booleanReply, jsonReply, metaHeaders, type Reply, TRUE_REPLY } from '../reply/reply.ts';
import { encodeList } from '../reply/sliced-json.ts';
import type { ApiRequest } from '../request/api-request.ts';
import { readBody } from '../request/body.ts';
import { refuseNamespace } from '../request/enterprise.ts';
import { badRequest, readCall } from '../request/read-options.ts';
import { parseUint } from '../request/uint.ts';
import { write } from '../request/write-call.ts';
import { acl, type Route } from '../routing/route.ts';
import { kvEntriesView, kvEntryView } from '../views/kv.ts';

/** /v1/kv/:key (consul-facts H108-H110). */
export const kvRoutes: readonly Route[] = [
  { method: 'GET', path: '/v1/kv/', acl: acl.server('key', 'read'), handle: get },
  { method: 'PUT', path: '/v1/kv/', acl: acl.server('key', 'write'), handle: put },
  { method: 'DELETE', path: '/v1/kv/', acl: acl.server('key', 'write'), handle: remove },
];

async function get(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const { query, rest: key } = request;
  const options = readCall(request);
  if (query.has('keys')) return listKeys(request, deps, options);
  if (query.has('recurse')) return list(request, deps, options);
  if (key === '') throw badRequest('Missing key name');
  refuseNamespace(request);
  const { meta, value } = await deps.server.call('KVS.Get', { key }, options);
  const headers = metaHeaders(meta);
  if (value === null) return absentReply(headers);
  if (query.has('raw')) return rawReply(value, headers);
  return jsonReply(kvEntryView(value, request.indent), headers);
}

/** Keys can hold markup: never let a browser take one for a page (CVE-2020-25864). */
function rawReply(entry: KvEntry, headers: string[]): Reply {
  headers.push('Content-Security-Policy', 'sandbox');
  const body = Buffer.from(entry.Value.buffer, entry.Value.byteOffset, entry.Value.byteLength);
  return { status: 200, contentType: 'text/plain', headers, body };
}

async function list(request: ApiRequest, deps: ApiDeps, options: CallOptions): Promise<Reply> {
  refuseNamespace(request);
  const { meta, value } = await deps.server.call('KVS.List', { prefix: request.rest }, options);
  if (value.length === 0) return absentReply(metaHeaders(meta));
  return jsonReply(await kvEntriesView(value, request.indent), metaHeaders(meta));
}

async function listKeys(request: ApiRequest, deps: ApiDeps, options: CallOptions): Promise<Reply> {
  refuseNamespace(request);
  const { query, rest: prefix } = request;
  // The misspelt name came first and must go on working (consul-facts H108).
  const separator = query.has('separator') ? query.get('separator') : query.get('seperator');
  const { meta, value } = await deps.server.call('KVS.ListKeys', { prefix, separator }, options);
  if (value.length === 0 && prefix !== '') return absentReply(metaHeaders(meta));
  return jsonReply(await encodeList(value, (key) => key, request.indent), metaHeaders(meta));
}

async function put(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const { query, rest: key } = request;
  refuseNamespace(request);
  if (key === '') throw badRequest('Missing key name');
  refuseConflicts(request, ['cas', 'acquire', 'release']);
  const flags = query.has('flags') ? parseUint(query.get('flags')) : 0n;
  const index = query.has('cas') ? Number(parseUint(query.get('cas'))) : 0;
  const limit = request.config.limits.kvMaxValueBytes;
  const value = await readBody(request.message, limit, (size) => tooLargeText(size, limit));
  const operation = putOperation(request);
  const session = operation === 'lock' ? query.get('acquire') : operation === 'unlock' ? query.get('release') : '';
  const entry = { Key: key, Value: value, Flags: toFlags(flags), Session: session, ModifyIndex: index };
  const applied = await write('KVS.Apply', { operation, entry }, request, deps);
  return operation === 'set' ? TRUE_REPLY : booleanReply(applied);
}

function putOperation(request: ApiRequest): KvOperation {
  if (request.query.has('release')) return 'unlock';
  if (request.query.has('acquire')) return 'lock';
  return request.query.has('cas') ? 'cas' : 'set';
}

async function remove(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const { query, rest: key } = request;
  refuseNamespace(request);
  refuseConflicts(request, ['recurse', 'cas']);
  if (!query.has('recurse') && key === '') throw badRequest('Missing key name');
  const operation: KvOperation = query.has('cas') ? 'delete-cas' : query.has('recurse') ? 'delete-tree' : 'delete';
  const index = query.has('cas') ? Number(parseUint(query.get('cas'))) : 0;
  const entry = { Key: key, Value: NO_VALUE, Flags: 0, Session: '', ModifyIndex: index };
  const applied = await write('KVS.Apply', { operation, entry }, request, deps);
  return operation === 'delete-cas' ? booleanReply(applied) : TRUE_REPLY;
}

const NO_VALUE = new Uint8Array(0);

/** Flags fit a number almost always; the rest keeps all 64 bits. */
function toFlags(flags: bigint): number | bigint {
  return flags <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(flags) : flags;
}

function refuseConflicts(request: ApiRequest, names: readonly string[]): void {
  const given = names.filter((name) => request.query.has(name));
  if (given.length > 1) throw badRequest(`Conflicting flags: ${request.query.encode()}\n`);
}

function tooLargeText(sizeBytes: number | undefined, limitBytes: number): string {
  const body = sizeBytes === undefined ? 'Request body' : `Request body(${sizeBytes} bytes)`;
  const see = 'https://www.consul.io/docs/agent/config/config-files#kv_max_value_size';
  return `${body} too large, max size: ${limitBytes} bytes. See ${see}.`;
}
