import { canonicalisePath } from './canonical-path.ts';

/** An HTTP request in the form that intentions decide on and that the proxy forwards: the same object for both. */
export interface CanonicalRequest {
  /** Upper case. */
  readonly method: string;
  /** Canonical, without the query. */
  readonly path: string;
  /** `path` and the other readings that a server may take; see CanonicalPath. */
  readonly pathReadings: readonly string[];
  /** With its `?`, or empty. */
  readonly query: string;
  /** Values by lower-case name, in the order of the request, one per field line. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  /** Payloads of tokens that the caller has verified, by jwt-provider name. Absent: no token was verified. */
  readonly claims?: ReadonlyMap<string, unknown>;
}

export interface RawRequest {
  readonly method: string;
  /** Request target as received: origin form, absolute form, or `*`. */
  readonly target: string;
  readonly headers: Iterable<readonly [name: string, value: string]>;
}

export type CanonicalisationResult =
  | { readonly ok: true; readonly request: CanonicalRequest }
  /** Refuse the request with 400. */
  | { readonly ok: false; readonly reason: string };

const METHOD = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}$/;
const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}$/;
/** Anything but tab, printable ASCII and obs-text: NUL and line breaks among it (Envoy 2019-9900, RFC 9110 5.5). */
const BAD_VALUE = /[^\t -~\u0080-\uffff]/;
const ABSOLUTE_FORM = /^[a-zA-Z][a-zA-Z0-9+.-]*:\/\/[^/?#]*/;
const BAD_QUERY = /[^!-~]|[#\\]/;

/** Brings a request into canonical form, or says why it has none. Never throws. */
export function canonicaliseRequest(raw: RawRequest): CanonicalisationResult {
  if (!METHOD.test(raw.method)) return { ok: false, reason: 'invalid method' };
  const method = raw.method.toUpperCase();
  if (method === 'CONNECT') return { ok: false, reason: 'CONNECT is not forwarded' };
  const headers = readHeaders(raw.headers);
  if (typeof headers === 'string') return { ok: false, reason: headers };
  if (raw.target === '*' && method === 'OPTIONS') {
    return { ok: true, request: { method, path: '*', pathReadings: ['*'], query: '', headers } };
  }
  const target = raw.target.replace(ABSOLUTE_FORM, '');
  const rooted = target === '' || (target.startsWith('?') && target !== raw.target) ? `/${target}` : target;
  const mark = rooted.indexOf('?');
  const query = mark === -1 ? '' : rooted.slice(mark);
  if (BAD_QUERY.test(query)) return { ok: false, reason: 'invalid character in query' };
  const path = canonicalisePath(mark === -1 ? rooted : rooted.slice(0, mark));
  if ('refused' in path) return { ok: false, reason: path.refused };
  return { ok: true, request: { method, path: path.path, pathReadings: path.readings, query, headers } };
}

function readHeaders(source: RawRequest['headers']): Map<string, string[]> | string {
  const headers = new Map<string, string[]>();
  for (const [name, value] of source) {
    if (!HEADER_NAME.test(name)) return 'invalid header name';
    if (BAD_VALUE.test(value)) return 'invalid header value';
    const key = name.toLowerCase();
    const values = headers.get(key);
    if (values === undefined) headers.set(key, [value.trim()]);
    else values.push(value.trim());
  }
  return headers;
}
