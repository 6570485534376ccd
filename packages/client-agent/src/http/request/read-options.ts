import { type CallOptions, type Consistency, LictorError, parseDuration, type QueryOptions } from '@lictor/protocol';
import type { CacheOptions } from '../../contracts/index.ts';
import type { ApiRequest } from './api-request.ts';
import { parseAppliedIndex } from './applied-index.ts';

/** What every read endpoint takes from its request (consul-facts 2.0: blocking, consistency, cached). */
export interface ReadParameters {
  readonly consistency: Consistency;
  readonly maxStaleMs: number;
  readonly minIndex: number;
  /** Already limited by the agent's `max_query_time`; only meaningful with an index. */
  readonly maxWaitMs: number;
  readonly useCache: boolean;
  readonly filter: string;
  /** The answer must have seen the write of this index; 0: none. */
  readonly appliedIndex: number;
}

/** Also checks that no Enterprise parameter is asked for. */
export function readCall(request: ApiRequest): CallOptions {
  return toCallOptions(request, parseReadParameters(request));
}

export function toCallOptions(request: ApiRequest, parameters: ReadParameters): CallOptions {
  const { consistency, minIndex, appliedIndex } = parameters;
  const query: QueryOptions = { consistency, ...maxStale(parameters), ...waits(request, parameters) };
  const base = { token: request.token, datacenter: request.datacenter, query };
  return minIndex > 0 || appliedIndex > 0 ? { ...base, signal: request.signal } : base;
}

function maxStale(parameters: ReadParameters): { maxStaleMs?: number } {
  return parameters.maxStaleMs > 0 ? { maxStaleMs: parameters.maxStaleMs } : {};
}

/** A server that has not seen the write gets as long for it as a leader gets to be found. */
function waits({ config }: ApiRequest, { minIndex, maxWaitMs, appliedIndex }: ReadParameters): Partial<QueryOptions> {
  const blocking = minIndex > 0 ? { minIndex, maxWaitMs } : {};
  return appliedIndex > 0 ? { maxWaitMs: config.rpcHoldMs, ...blocking, appliedIndex } : blocking;
}

/** @throws LictorError 400 with Consul's texts */
export function parseReadParameters(request: ApiRequest): ReadParameters {
  const { query } = request;
  const { minIndex, maxWaitMs } = parseWait(request);
  const maxStaleText = query.get('max_stale');
  const askedMs = maxStaleText === '' ? 0 : parseDuration(maxStaleText);
  if (askedMs === undefined) throw badRequest(`Invalid max_stale value ${JSON.stringify(maxStaleText)}`);
  const consistent = query.has('consistent');
  const appliedIndex = parseAppliedIndex(request);
  // What is cached may be older than the write that the answer has to show.
  const useCache = query.has('cached') && request.config.http.useCache && appliedIndex === 0;
  const isChosen = query.has('stale') || askedMs > 0 || consistent || useCache || query.has('leader');
  const maxStaleMs = isChosen ? askedMs : discoveryMaxStaleMs(request);
  const stale = query.has('stale') || maxStaleMs > 0;
  if (stale && consistent) throw badRequest('Cannot specify ?stale with ?consistent, conflicting semantics.');
  if (useCache && consistent) throw badRequest('Cannot specify ?cached with ?consistent, conflicting semantics.');
  const consistency = stale ? 'stale' : consistent ? 'consistent' : 'default';
  return { consistency, maxStaleMs, minIndex, maxWaitMs, useCache, filter: query.get('filter'), appliedIndex };
}

/** `discovery_max_stale`: what catalog and health reads are content with that name no consistency; `?leader` names the default one. */
function discoveryMaxStaleMs({ target, config }: ApiRequest): number {
  return /^\/v1\/(catalog|health)/.test(target.path) ? config.discoveryMaxStaleMs : 0;
}

const UINT64_MAX = 2n ** 64n - 1n;

export interface WaitParameters {
  readonly minIndex: number;
  readonly maxWaitMs: number;
}

export function parseWait(request: ApiRequest): WaitParameters {
  const { query, config } = request;
  const wait = query.get('wait');
  const waitMs = wait === '' ? 0 : parseDuration(wait);
  if (waitMs === undefined) throw badRequest('Invalid wait time');
  const index = parseIndex(query.get('index'));
  const wantedMs = waitMs > 0 ? waitMs : config.defaultQueryTimeMs;
  return { minIndex: Number(index > MAX_SAFE ? MAX_SAFE : index), maxWaitMs: Math.min(wantedMs, config.maxQueryTimeMs) };
}

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/** Event indexes use all 64 bits; others stay far below 2^53. */
export function parseIndex(text: string): bigint {
  if (text === '') return 0n;
  if (!/^\d{1,20}$/.test(text)) throw badRequest('Invalid index');
  const index = BigInt(text);
  if (index > UINT64_MAX) throw badRequest('Invalid index');
  return index;
}

/** Cache-Control as far as Consul reads it: `max-age`, `must-revalidate`, `stale-if-error`. */
export function cacheOptions(request: ApiRequest, parameters: ReadParameters): CacheOptions {
  const { minIndex } = parameters;
  return {
    token: request.token,
    datacenter: request.datacenter,
    ...cacheControl(request.header('cache-control')),
    ...(minIndex > 0 ? { minIndex, maxWaitMs: parameters.maxWaitMs, signal: request.signal } : {}),
  };
}

function cacheControl(header: string): Pick<CacheOptions, 'maxAgeMs' | 'mustRevalidate' | 'staleIfErrorMs'> {
  if (header === '') return {};
  const out: { maxAgeMs?: number; mustRevalidate?: boolean; staleIfErrorMs?: number } = {};
  for (const part of header.toLowerCase().split(',')) {
    const directive = part.trim();
    if (directive === 'must-revalidate') out.mustRevalidate = true;
    else if (directive.startsWith('max-age=')) {
      out.maxAgeMs = directiveMs(directive);
      // Go cannot tell 0 from unset, so Consul makes it a revalidation.
      if (out.maxAgeMs === 0) out.mustRevalidate = true;
    } else if (directive.startsWith('stale-if-error=')) out.staleIfErrorMs = directiveMs(directive);
  }
  return out;
}

function directiveMs(directive: string): number {
  const text = directive.slice(directive.indexOf('=') + 1);
  if (!/^[+-]?\d{1,15}$/.test(text)) throw badRequest('Invalid Cache-Control header.');
  return Number(text) * 1_000;
}

export function badRequest(message: string): LictorError {
  return new LictorError('invalid-argument', message);
}
