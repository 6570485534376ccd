import { SpiffeIdError } from '../errors.ts';

/** SPIFFE-ID section 2.3: implementations must support and must not exceed these. */
export const MAX_ID_BYTES = 2048;
export const MAX_TRUST_DOMAIN_BYTES = 255;

const TRUST_DOMAIN = /^[a-z0-9._-]+$/;
const PATH_SEGMENT = /^[A-Za-z0-9._-]+$/;

/** Which also refuses ports, user info, IPv6 literals and percent-encoding. @throws SpiffeIdError */
export function checkTrustDomain(trustDomain: string): void {
  if (trustDomain === '') throw new SpiffeIdError('SPIFFE ID has no trust domain');
  if (trustDomain.length > MAX_TRUST_DOMAIN_BYTES) throw new SpiffeIdError(`trust domain is over ${MAX_TRUST_DOMAIN_BYTES} bytes`);
  if (!TRUST_DOMAIN.test(trustDomain)) throw new SpiffeIdError(`trust domain has characters outside [a-z0-9.-_]: ${quote(trustDomain)}`);
}

/** @throws SpiffeIdError */
export function checkPathSegment(segment: string): void {
  if (segment === '') throw new SpiffeIdError('SPIFFE ID path has an empty segment');
  if (segment === '.' || segment === '..') throw new SpiffeIdError('SPIFFE ID path has a dot segment');
  if (!PATH_SEGMENT.test(segment)) throw new SpiffeIdError(`SPIFFE ID path has characters outside [A-Za-z0-9.-_]: ${quote(segment)}`);
}

/** Escaped and cut, for it may come from a peer and end in a log. */
function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text);
}
