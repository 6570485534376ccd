import { LictorError, type QueryMeta, type ReadMethod, type RpcRequest, type RpcValue } from '@lictor/protocol';
import type { CacheType, CacheResult, CacheRequest } from '../../contracts/index.ts';
import type { ApiDeps } from '../deps.ts';
import { ReplyHeadersError } from '../reply-headers-error.ts';
import { catalogMetaHeaders, type Reply } from '../reply/reply.ts';
import { type ReadParameters, cacheOptions, parseReadParameters, toCallOptions } from '../request/read-options.ts';
import type { ApiRequest } from '../request/api-request.ts';

export interface ReadResult<Value> {
  readonly value: Value;
  readonly meta: QueryMeta;
  /** X-Cache and Age; empty when the answer did not go through the cache. */
  readonly cacheHeaders: readonly string[];
}

/** Asks the servers, or the agent's cache when the request says `?cached`. */
export async function readThroughCache<M extends ReadMethod & CacheType>(
  method: M,
  rpcRequest: RpcRequest<M> & CacheRequest<M>,
  request: ApiRequest,
  deps: ApiDeps,
  parameters: ReadParameters = parseReadParameters(request),
): Promise<ReadResult<RpcValue<M>>> {
  if (!parameters.useCache) {
    const reply = await deps.server.call(method, rpcRequest, toCallOptions(request, parameters));
    return { value: reply.value as RpcValue<M>, meta: reply.meta, cacheHeaders: [] };
  }
  const result = await deps.cache.get<M>(method, rpcRequest, cacheOptions(request, parameters));
  return { value: result.value as RpcValue<M>, meta: result.meta, cacheHeaders: cacheHeaders(result) };
}

export function cacheHeaders(result: Pick<CacheResult<CacheType>, 'hit' | 'ageMs'>): string[] {
  return result.hit ? ['X-Cache', 'HIT', 'Age', String(Math.round(result.ageMs / 1_000))] : ['X-Cache', 'MISS'];
}

export function catalogReply<Value>(result: ReadResult<Value>, body: string | Buffer): Reply {
  return { status: 200, contentType: 'application/json', headers: [...catalogMetaHeaders(result.meta), ...result.cacheHeaders], body };
}

const FAILED_META = [
  'X-Consul-Index',
  '1',
  'X-Consul-Knownleader',
  'false',
  'X-Consul-Lastcontact',
  '0',
  'X-Consul-Query-Backend',
  'blocking-query',
];

/** Catalog lists answer with (empty) read headers even when the servers refuse. */
export async function withFailedMeta<T>(read: Promise<T>): Promise<T> {
  try {
    return await read;
  } catch (thrown) {
    throw new ReplyHeadersError(LictorError.from(thrown), FAILED_META);
  }
}
