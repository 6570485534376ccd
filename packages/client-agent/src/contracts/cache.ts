import type { IssuedCert, QueryMeta, ReadMethod, RpcRequest, RpcValue, Secret } from '@lictor/protocol';

/** Cached reads are named by their RPC method; `ConnectCA.Leaf` is made by the agent itself (key, CSR, signature). */
export interface LeafRequest {
  readonly service: string;
}
export type CacheType = ReadMethod | 'ConnectCA.Leaf';
export type CacheRequest<T extends CacheType> = T extends ReadMethod ? RpcRequest<T> : LeafRequest;
export type CacheValue<T extends CacheType> = T extends ReadMethod ? RpcValue<T> : IssuedCert;

export interface CacheOptions {
  readonly token: Secret;
  readonly datacenter?: string;
  /** Block until the cached value's index passes this one. */
  readonly minIndex?: number;
  readonly maxWaitMs?: number;
  /** Simple types only (Cache-Control): refetch when older. */
  readonly maxAgeMs?: number;
  readonly mustRevalidate?: boolean;
  readonly staleIfErrorMs?: number;
  readonly signal?: AbortSignal;
}

export interface CacheResult<T extends CacheType> {
  readonly value: CacheValue<T>;
  readonly meta: QueryMeta;
  /** X-Cache: HIT or MISS. */
  readonly hit: boolean;
  /** Age header: how long since the agent last heard that the value is current; grows while the servers are away. */
  readonly ageMs: number;
}

/**
 * The agent's cache (design.md section 4): filled on demand, one entry per (type, datacenter, token, request), kept fresh by a
 * background blocking query, dropped 72 h after its last use. Errors are never kept over a good value.
 */
export interface AgentCache {
  get<T extends CacheType>(type: T, request: CacheRequest<T>, options: CacheOptions): Promise<CacheResult<T>>;
  readonly entryCount: number;
}
