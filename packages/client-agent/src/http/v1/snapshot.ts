import type { ApiDeps } from '../deps.ts';
import { EMPTY_REPLY, metaHeaders, type Reply } from '../reply/reply.ts';
import type { ApiRequest } from '../request/api-request.ts';
import { readBody } from '../request/body.ts';
import { parseReadParameters, toCallOptions } from '../request/read-options.ts';
import { write } from '../request/write-call.ts';
import { acl, type Route } from '../routing/route.ts';

/** /v1/snapshot (consul-facts H141-H142). */
export const snapshotRoutes: readonly Route[] = [
  { method: 'GET', path: '/v1/snapshot', acl: acl.server('acl', 'write'), handle: save },
  { method: 'PUT', path: '/v1/snapshot', acl: acl.server('acl', 'write'), handle: restore },
];

/** An archive is held in memory while it is checked. */
const ARCHIVE_MAX_BYTES = 512 * 1024 * 1024;

async function save(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const parameters = parseReadParameters(request);
  const { value, meta } = await deps.server.call('Snapshot.Save', {}, toCallOptions(request, { ...parameters, minIndex: 0 }));
  const body = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return { status: 200, contentType: 'application/x-gzip', headers: metaHeaders(meta), body };
}

async function restore(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const archive = await readBody(request.message, ARCHIVE_MAX_BYTES, () => `Snapshot too large, max size: ${ARCHIVE_MAX_BYTES} bytes.`);
  await write('Snapshot.Restore', { archive }, request, deps);
  return EMPTY_REPLY;
}
