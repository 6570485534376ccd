import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { DEFAULT_NAMESPACE } from '@lictor/protocol';
import { DEFAULT_PARTITION, type ServiceSpiffeId, type SpiffeId, type TrustBundle, verifyPeer } from '@lictor/pki';
import type { Credentials } from './credentials.ts';

/** A peer whose certificate holds. */
export interface AuthenticatedPeer {
  readonly ok: true;
  readonly id: ServiceSpiffeId;
  readonly uri: string;
  readonly serial: string;
  /** As the peer sent them: an old connection is verified again against newer roots. */
  readonly leafDer: Uint8Array;
  readonly intermediatesDer: readonly Uint8Array[];
  /** What it was checked against, and between which wall-clock times that holds. */
  readonly bundle: TrustBundle;
  readonly verifiedMs: number;
  readonly validUntilMs: number;
}

export interface RefusedPeer {
  readonly ok: false;
  readonly reason: string;
}

const MAX_CHAIN = 8;

/**
 * Who is at the other end of a finished handshake? OpenSSL's verdict on the chain and the SPIFFE rules on the DER bytes must
 * both hold (never the text forms of names: Node CVE-2021-44531..3). Anything else, errors included, refuses.
 */
export function authenticate(
  socket: TLSSocket,
  credentials: Credentials,
  nowMs: number,
  expected?: SpiffeId,
): AuthenticatedPeer | RefusedPeer {
  try {
    const certificate = socket.getPeerX509Certificate();
    if (certificate === undefined) return refused('peer sent no certificate');
    if (socket.isSessionReused()) return refused('resumed TLS session');
    const peer = verify(certificate.raw, intermediatesOf(certificate), credentials, nowMs, expected);
    // The SPIFFE verdict first: its reasons are the better ones.
    if (peer.ok && !socket.authorized) return refused(`certificate chain: ${String(socket.authorizationError)}`);
    return peer;
  } catch (error) {
    return refused(error instanceof Error ? error.message : String(error));
  }
}

/** Does what was true when the connection began still hold with the present roots and time? */
export function reauthenticate(peer: AuthenticatedPeer, credentials: Credentials, nowMs: number): AuthenticatedPeer | RefusedPeer {
  if (peer.bundle === credentials.bundle && nowMs <= peer.validUntilMs && nowMs >= peer.verifiedMs) return peer;
  try {
    return verify(peer.leafDer, peer.intermediatesDer, credentials, nowMs, peer.id);
  } catch (error) {
    return refused(error instanceof Error ? error.message : String(error));
  }
}

function verify(
  leafDer: Uint8Array,
  intermediatesDer: readonly Uint8Array[],
  credentials: Credentials,
  nowMs: number,
  expected: SpiffeId | undefined,
): AuthenticatedPeer | RefusedPeer {
  const verdict = verifyPeer({
    leafDer,
    intermediatesDer,
    roots: credentials.bundle,
    nowMs,
    expected: expected ?? credentials.trustDomain,
  });
  if (!verdict.ok) return refused(verdict.reason);
  const id = verdict.spiffeId;
  if (id.kind !== 'service') return refused(`${verdict.uri} is not a service`);
  // Intentions here know names only: another namespace's service of the same name is another service.
  if (id.namespace !== DEFAULT_NAMESPACE || id.partition !== DEFAULT_PARTITION)
    return refused(`${verdict.uri} is of another namespace or partition`);
  const validUntilMs = Math.min(...verdict.chain.map((certificate) => certificate.notAfterMs));
  const { uri, serial } = verdict;
  return { ok: true, id, uri, serial, leafDer, intermediatesDer, bundle: credentials.bundle, verifiedMs: nowMs, validUntilMs };
}

function intermediatesOf(leaf: X509Certificate): Uint8Array[] {
  const chain: Uint8Array[] = [];
  let issuer = leaf.issuerCertificate;
  while (issuer !== undefined && chain.length < MAX_CHAIN) {
    chain.push(issuer.raw);
    if (issuer.issuerCertificate?.fingerprint256 === issuer.fingerprint256) break;
    issuer = issuer.issuerCertificate;
  }
  return chain;
}

function refused(reason: string): RefusedPeer {
  return { ok: false, reason };
}
