import type { QueryMeta } from '@lictor/protocol';

/** Flat name, value, name, value: what `writeHead` takes without building an object. */
export type HeaderList = readonly string[];

/** What a handler answers. Streams write for themselves once the head is out. */
export interface Reply {
  readonly status: number;
  readonly contentType: string;
  readonly headers: HeaderList;
  readonly body: string | Buffer;
  readonly stream?: StreamWriter;
}

export interface StreamSink {
  /** False when the client reads too slowly: drop, do not queue. */
  write(chunk: string | Uint8Array): boolean;
  /** Aborts when the client goes or the agent stops. */
  readonly signal: AbortSignal;
}

/** The answer ends when the promise does. */
export type StreamWriter = (sink: StreamSink) => Promise<void>;

export const JSON_TYPE = 'application/json';
const TEXT_TYPE = 'text/plain; charset=utf-8';

const NO_HEADERS: HeaderList = [];

/** 200 without a body, which Consul still calls JSON. */
export const EMPTY_REPLY: Reply = { status: 200, contentType: JSON_TYPE, headers: NO_HEADERS, body: '' };
export const TRUE_REPLY: Reply = { status: 200, contentType: JSON_TYPE, headers: NO_HEADERS, body: 'true' };
const FALSE_REPLY: Reply = { status: 200, contentType: JSON_TYPE, headers: NO_HEADERS, body: 'false' };

/** 404 without a body, and so without a type. */
export function absentReply(headers: HeaderList = NO_HEADERS): Reply {
  return { status: 404, contentType: '', headers, body: '' };
}

export function booleanReply(value: boolean): Reply {
  return value ? TRUE_REPLY : FALSE_REPLY;
}

export function jsonReply(body: string | Buffer, headers: HeaderList = NO_HEADERS, status = 200): Reply {
  return { status, contentType: JSON_TYPE, headers, body };
}

export function textReply(status: number, body: string, headers: HeaderList = NO_HEADERS): Reply {
  return { status, contentType: TEXT_TYPE, headers, body };
}

export function streamReply(contentType: string, stream: StreamWriter): Reply {
  return { status: 200, contentType, headers: NO_HEADERS, body: '', stream };
}

const EFFECTIVE: Readonly<Record<QueryMeta['consistency'], string>> = { default: 'leader', consistent: 'consistent', stale: 'stale' };

/** The headers of a read. An index of 0 would make clients spin (consul-facts 2.0), so it is never sent. */
export function metaHeaders(meta: QueryMeta): string[] {
  const headers = [
    'X-Consul-Index',
    String(Math.max(1, meta.index)),
    'X-Consul-Knownleader',
    meta.knownLeader ? 'true' : 'false',
    'X-Consul-Lastcontact',
    String(Math.trunc(Math.max(0, meta.lastContactMs))),
    'X-Consul-Query-Backend',
    'blocking-query',
  ];
  if (meta.resultsFilteredByAcls) headers.push('X-Consul-Results-Filtered-By-Acls', 'true');
  return headers;
}

/** Catalog, health, match and usage reads also tell how consistent they were. */
export function catalogMetaHeaders(meta: QueryMeta): string[] {
  const headers = metaHeaders(meta);
  headers.push('X-Consul-Effective-Consistency', EFFECTIVE[meta.consistency]);
  return headers;
}
