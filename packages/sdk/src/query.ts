import type { Consistency, Secret } from '@lictor/protocol';

/** What every read takes. Times in ms. */
export interface QueryOptions {
  /** Block until the answer's index passes this one. As text where it may exceed 2^53: /v1/event/list. */
  readonly index?: number | string;
  /** Block until the answer's content hash differs: GET /v1/agent/service/:id only. */
  readonly hash?: string;
  /** How long to block at most; the server's default is 300 s, its limit 600 s. */
  readonly waitMs?: number;
  readonly consistency?: Consistency;
  /** Let the agent answer from its cache. */
  readonly cached?: boolean;
  readonly maxAgeMs?: number;
  readonly staleIfErrorMs?: number;
  /** A go-bexpr expression. */
  readonly filter?: string;
  /** Sort by round-trip time from this node; `_agent` for the agent's own. */
  readonly near?: string;
  readonly nodeMeta?: Readonly<Record<string, string>>;
  readonly datacenter?: string;
  readonly peer?: string;
  /** Wait until the server that answers has applied this log index: a write's `X-Lictor-Applied-Index`. */
  readonly appliedIndex?: number;
  readonly mergeCentralConfig?: boolean;
  readonly token?: Secret;
  readonly signal?: AbortSignal;
}

/** What every write takes. */
export interface WriteOptions {
  readonly datacenter?: string;
  readonly token?: Secret;
  readonly signal?: AbortSignal;
}

/** What the answer's headers say. */
export interface QueryMeta {
  /** X-Consul-Index: what the next blocking query passes as `index`; 0 when the endpoint has none. */
  readonly index: number;
  /** X-Consul-Index as it came: /v1/event/list has 64-bit ones. */
  readonly indexText: string;
  /** X-Consul-ContentHash, or empty. */
  readonly contentHash: string;
  readonly lastContactMs: number;
  readonly knownLeader: boolean;
  readonly cacheHit: boolean;
  readonly cacheAgeMs: number;
  readonly resultsFilteredByAcls: boolean;
  /** `allow`, `deny`, or empty with ACLs off. */
  readonly defaultAclPolicy: string;
  /** `streaming`, `blocking-query` or empty. */
  readonly queryBackend: string;
}

/** A read's value with what came beside it. */
export interface Answer<T> {
  readonly value: T;
  readonly meta: QueryMeta;
}

/** Ours: see docs/reference/http.md, "Read your writes". */
export const APPLIED_INDEX_HEADER = 'x-lictor-applied-index';

/** Adds `options` to a request's query and headers; options win over the client's own settings. */
export function applyQueryOptions(options: QueryOptions, query: URLSearchParams, headers: Record<string, string>): void {
  applyWriteOptions(options, query, headers);
  if (options.index !== undefined && Number(options.index) > 0) query.set('index', String(options.index));
  if (options.hash !== undefined && options.hash !== '') query.set('hash', options.hash);
  if (options.waitMs !== undefined && options.waitMs > 0) query.set('wait', `${Math.max(1, Math.trunc(options.waitMs))}ms`);
  if (options.consistency === 'stale' || options.consistency === 'consistent') query.set(options.consistency, '');
  if (options.filter) query.set('filter', options.filter);
  if (options.near) query.set('near', options.near);
  if (options.peer) query.set('peer', options.peer);
  if (options.appliedIndex) headers[APPLIED_INDEX_HEADER] = String(options.appliedIndex);
  if (options.mergeCentralConfig) query.set('merge-central-config', '');
  for (const [key, value] of Object.entries(options.nodeMeta ?? {})) query.append('node-meta', `${key}:${value}`);
  if (options.cached && options.consistency !== 'consistent') applyCacheOptions(options, query, headers);
}

export function applyWriteOptions(options: WriteOptions, query: URLSearchParams, headers: Record<string, string>): void {
  if (options.datacenter) query.set('dc', options.datacenter);
  if (options.token !== undefined && !options.token.isEmpty) headers['x-consul-token'] = options.token.reveal();
}

function applyCacheOptions(options: QueryOptions, query: URLSearchParams, headers: Record<string, string>): void {
  query.set('cached', '');
  const directives: string[] = [];
  if (options.maxAgeMs) directives.push(`max-age=${Math.round(options.maxAgeMs / 1000)}`);
  if (options.staleIfErrorMs) directives.push(`stale-if-error=${Math.round(options.staleIfErrorMs / 1000)}`);
  if (directives.length > 0) headers['cache-control'] = directives.join(', ');
}

/** Header names are lower case; a header sent twice counts once. */
export function parseQueryMeta(header: (name: string) => string): QueryMeta {
  return {
    index: count(header('x-consul-index')),
    indexText: header('x-consul-index'),
    contentHash: header('x-consul-contenthash'),
    lastContactMs: count(header('x-consul-lastcontact')),
    knownLeader: header('x-consul-knownleader') === 'true',
    cacheHit: header('x-cache').toUpperCase() === 'HIT',
    cacheAgeMs: count(header('age')) * 1000,
    resultsFilteredByAcls: header('x-consul-results-filtered-by-acls') === 'true',
    defaultAclPolicy: header('x-consul-default-acl-policy'),
    queryBackend: header('x-consul-query-backend'),
  };
}

function count(text: string): number {
  return /^\d{1,16}$/.test(text) ? Number(text) : 0;
}
