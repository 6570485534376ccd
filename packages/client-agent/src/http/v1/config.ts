import { type ConfigEntry, LictorError, schema } from '@lictor/protocol';
import type { ApiDeps } from '../deps.ts';
import { type LongView, sharedListView, sharedView, type View } from '../reply/views.ts';
import { jsonInteger } from '../reply/raw-json.ts';
import { booleanReply, jsonReply, metaHeaders, type Reply } from '../reply/reply.ts';
import type { ApiRequest } from '../request/api-request.ts';
import { refuseNamespace } from '../request/enterprise.ts';
import { decodeJson, readJson } from '../request/json-body.ts';
import { readCall } from '../request/read-options.ts';
import { parseUint } from '../request/uint.ts';
import { write } from '../request/write-call.ts';
import { acl, type Route } from '../routing/route.ts';

/** /v1/config (consul-facts H088-H091). What may be read or written depends on the entry's kind, so the servers decide. */
export const configRoutes: readonly Route[] = [
  { method: 'PUT', path: '/v1/config', acl: acl.server('service', 'write'), handle: apply },
  { method: 'GET', path: '/v1/config/', acl: acl.server('service', 'read'), handle: get },
  { method: 'DELETE', path: '/v1/config/', acl: acl.server('service', 'write'), handle: remove },
];

const entryView: View<ConfigEntry> = sharedView(entryJson);
const entriesView: LongView<readonly ConfigEntry[]> = sharedListView(entryJson);

/** The indexes and the hash come last, as in Consul; the rest is the entry as it was normalised. */
function entryJson(entry: ConfigEntry): object {
  const { Hash, CreateIndex, ModifyIndex, ...shown } = entry;
  const { Name: _name, ...nameless } = shown;
  // There is one mesh entry, so Consul's type has no name field to show.
  const fields = entry.Kind === 'mesh' ? nameless : shown;
  return { ...fields, ...(Hash === undefined ? {} : { Hash: jsonInteger(Hash) }), CreateIndex, ModifyIndex };
}

async function apply(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const fail = (reason: string): LictorError => new LictorError('invalid-argument', `Request decoding failed: ${reason}`);
  const raw = await readJson(request, { fail });
  const entry = decodeJson(raw, schema.record(schema.unknown()), { goType: 'map[string]interface {}' }, fail);
  refuseNamespace(request);
  const cas = parseCas(request);
  const value = await write('ConfigEntry.Apply', { entry, ...cas }, request, deps).catch((thrown: unknown) => {
    // Entries are decoded by kind on the server; what it cannot decode is told as this endpoint's own decoding failure.
    throw thrown instanceof LictorError && thrown.code === 'invalid-argument' ? fail(thrown.message) : thrown;
  });
  return booleanReply(value);
}

async function get(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const options = readCall(request);
  refuseNamespace(request);
  const { kind, name } = splitPath(request.rest);
  if (name === undefined) {
    const filter = request.query.get('filter');
    const { value, meta } = await deps.server.call('ConfigEntry.List', { kind, ...(filter === '' ? {} : { filter }) }, options);
    return jsonReply(await entriesView(value, request.indent), metaHeaders(meta));
  }
  const { value, meta } = await deps.server.call('ConfigEntry.Get', { kind, name }, options);
  if (value !== null) return jsonReply(entryView(value, request.indent), metaHeaders(meta));
  const text = `Config entry not found for ${JSON.stringify(kind)} / ${JSON.stringify(name)}`;
  return { status: 404, contentType: 'text/plain; charset=utf-8', headers: metaHeaders(meta), body: text };
}

async function remove(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const { kind, name } = splitPath(request.rest);
  if (name === undefined) throw new LictorError('not-found', 'Must provide both a kind and name to delete');
  refuseNamespace(request);
  const cas = parseCas(request);
  const value = await write('ConfigEntry.Delete', { kind, name, ...cas }, request, deps);
  return cas.cas === undefined ? jsonReply('{}') : booleanReply(value);
}

function splitPath(rest: string): { readonly kind: string; readonly name: string | undefined } {
  const slash = rest.indexOf('/');
  return slash < 0 ? { kind: rest, name: undefined } : { kind: rest.slice(0, slash), name: rest.slice(slash + 1) };
}

function parseCas(request: ApiRequest): { readonly cas?: number } {
  const text = request.query.get('cas');
  return text === '' ? {} : { cas: Number(parseUint(text)) };
}
