import { SpiffeIdError } from '../errors.ts';
import { checkPathSegment, checkTrustDomain, MAX_ID_BYTES } from './rules.ts';
import { DEFAULT_PARTITION, type SpiffeId } from './types.ts';

const SCHEME = 'spiffe://';

/**
 * Reads a SPIFFE ID by the rules of the SPIFFE standard, which are stricter than Consul's patterns (`[^/]+`): no percent-encoding,
 * upper-case trust domain, empty or dot segment, port, query, fragment or trailing slash passes (security.md section 4).
 * @throws SpiffeIdError
 */
export function parseSpiffeId(uri: string): SpiffeId {
  if (uri.length > MAX_ID_BYTES) throw new SpiffeIdError(`SPIFFE ID is over ${MAX_ID_BYTES} bytes`);
  if (!uri.startsWith(SCHEME)) throw new SpiffeIdError("SPIFFE ID must have 'spiffe' scheme");
  const slash = uri.indexOf('/', SCHEME.length);
  const trustDomain = slash < 0 ? uri.slice(SCHEME.length) : uri.slice(SCHEME.length, slash);
  checkTrustDomain(trustDomain);
  if (slash < 0) return { kind: 'signing', trustDomain };
  const segments = uri.slice(slash + 1).split('/');
  for (const segment of segments) checkPathSegment(segment);
  const id = matchPath(trustDomain, segments);
  if (id === undefined) throw new SpiffeIdError(`SPIFFE ID is not in the expected format: ${uri}`);
  return id;
}

/** Undefined instead of an error: for answers to peers, where a malformed ID is an ordinary refusal. */
export function maybeParseSpiffeId(uri: string): SpiffeId | undefined {
  try {
    return parseSpiffeId(uri);
  } catch (error) {
    if (error instanceof SpiffeIdError) return undefined;
    throw error;
  }
}

function matchPath(trustDomain: string, all: readonly string[]): SpiffeId | undefined {
  const hasPartition = all[0] === 'ap';
  const partition = hasPartition ? (all[1] ?? '') : DEFAULT_PARTITION;
  const path = hasPartition ? all.slice(2) : all;
  const [a, b, c, d, e, f] = path;
  if (path.length === 6 && a === 'ns' && c === 'dc' && e === 'svc' && b !== undefined && d !== undefined && f !== undefined) {
    return { kind: 'service', trustDomain, partition, namespace: b, datacenter: d, service: f };
  }
  if (path.length === 6 && a === 'agent' && b === 'client' && c === 'dc' && e === 'id' && d !== undefined && f !== undefined) {
    return { kind: 'agent', trustDomain, partition, datacenter: d, node: f };
  }
  if (path.length !== 4 || c !== 'dc' || d === undefined) return undefined;
  if (a === 'gateway' && b === 'mesh') return { kind: 'mesh-gateway', trustDomain, partition, datacenter: d };
  if (a === 'agent' && b === 'server' && !hasPartition) return { kind: 'server', trustDomain, datacenter: d };
  return undefined;
}
