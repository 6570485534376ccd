import type { ParsedCertificate } from '../certificate/index.ts';
import { Oid } from '../der/index.ts';
import { SpiffeIdError } from '../errors.ts';
import { isAcceptedAlgorithm, keyInfo } from '../keys/index.ts';
import { parseSpiffeId, type SpiffeId } from '../spiffe/index.ts';
import type { ChainCertificate } from './chain-certificate.ts';
import { refused } from './refused.ts';
import type { RefusedPeer } from './types.ts';

const MIN_RSA_BITS = 2048;

/** What we understand; anything else that is critical must be refused (RFC 5280 4.2). */
const UNDERSTOOD: ReadonlySet<string> = new Set([
  Oid.basicConstraints,
  Oid.keyUsage,
  Oid.extKeyUsage,
  Oid.subjectAltName,
  Oid.subjectKeyIdentifier,
  Oid.authorityKeyIdentifier,
]);

/** The identity of a leaf, or why it has none. */
export function readIdentity(leaf: ParsedCertificate): SpiffeId | RefusedPeer {
  const [uri] = leaf.uris;
  if (uri === undefined || leaf.uris.length !== 1)
    return refused('bad-san', `certificate has ${leaf.uris.length} URI SANs, must have exactly one`);
  try {
    return parseSpiffeId(uri);
  } catch (error) {
    if (error instanceof SpiffeIdError) return refused('bad-san', error.message);
    throw error;
  }
}

/** The rules of X.509-SVID section 4 for leaves: signing certificates never authenticate. */
export function checkLeafRules(leaf: ParsedCertificate, id: SpiffeId): RefusedPeer | undefined {
  if (leaf.isCa) return refused('not-a-leaf', 'certificate is a CA certificate');
  if (id.kind === 'signing') return refused('not-a-leaf', 'certificate names a trust domain, not a workload');
  const usage = leaf.keyUsage;
  const isCritical = leaf.extensions.raw.get(Oid.keyUsage)?.critical === true;
  if (usage === null || !isCritical || !usage.includes('digitalSignature')) {
    return refused('not-a-leaf', 'certificate lacks critical key usage digitalSignature');
  }
  if (usage.includes('keyCertSign') || usage.includes('cRLSign')) return refused('not-a-leaf', 'certificate has the key usage of a CA');
  const extended = leaf.extKeyUsage;
  if (extended !== null && !(extended.includes('serverAuth') && extended.includes('clientAuth'))) {
    return refused('not-a-leaf', 'certificate lacks extended key usage for servers and clients');
  }
  return undefined;
}

/** What must hold for every certificate of a chain but the root. */
export function checkCommonRules(certificate: ParsedCertificate): RefusedPeer | undefined {
  if (!isAcceptedAlgorithm(certificate.signatureAlgorithm)) {
    return refused('weak-algorithm', `signature algorithm ${certificate.signatureAlgorithm} is not accepted`);
  }
  for (const [oid, extension] of certificate.extensions.raw) {
    if (extension.critical && !UNDERSTOOD.has(oid)) return refused('unsupported-extension', `critical extension ${oid} is not understood`);
  }
  return undefined;
}

/** At both ends of its validity a certificate is still valid (RFC 5280 4.1.2.5). */
export function checkTime(certificate: ParsedCertificate, nowMs: number, what = 'certificate'): RefusedPeer | undefined {
  if (nowMs > certificate.notAfterMs) return refused('expired', `${what} expired at ${new Date(certificate.notAfterMs).toISOString()}`);
  if (nowMs < certificate.notBeforeMs) {
    return refused('not-yet-valid', `${what} is not valid before ${new Date(certificate.notBeforeMs).toISOString()}`);
  }
  return undefined;
}

/** RSA from 2,048 bits up and the NIST curves. */
export function checkKeyStrength(certificate: ChainCertificate): RefusedPeer | undefined {
  try {
    const { type, bits } = keyInfo(certificate.publicKey);
    return type === 'rsa' && bits < MIN_RSA_BITS ? refused('weak-algorithm', `RSA key of ${bits} bits is not accepted`) : undefined;
  } catch {
    return refused('weak-algorithm', 'key of an unknown type is not accepted');
  }
}
