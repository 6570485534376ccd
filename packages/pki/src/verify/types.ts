import type { ParsedCertificate } from '../certificate/index.ts';
import type { SpiffeId } from '../spiffe/index.ts';
import type { TrustBundle } from './trust-bundle.ts';

/** Why a peer's certificate is refused. Stable: logs, metrics and the caller's error carry it. */
export const REFUSALS = [
  /** Not a certificate, or not one that can be read without doubt. */
  'malformed',
  'bad-san',
  'wrong-trust-domain',
  'wrong-identity',
  /** A CA's certificate, or one that lacks the usages of a leaf. */
  'not-a-leaf',
  'expired',
  'not-yet-valid',
  'unknown-issuer',
  /** A certificate of the chain that may not sign, or signs too deep. */
  'bad-issuer',
  /** An algorithm or key that is too weak or unknown. */
  'weak-algorithm',
  'unsupported-extension',
] as const;
export type Refusal = (typeof REFUSALS)[number];

export interface VerifyPeerOptions {
  /** The peer's certificate, as TLS received it. */
  readonly leafDer: Uint8Array;
  /** What else the peer sent, in any order. */
  readonly intermediatesDer: readonly Uint8Array[];
  readonly roots: TrustBundle;
  /** Wall-clock time. */
  readonly nowMs: number;
  /** Who it must be: exactly one identity, or anyone of a trust domain. Absent: anyone whose trust domain has roots. */
  readonly expected?: SpiffeId | string;
}

export interface VerifiedPeer {
  readonly ok: true;
  readonly spiffeId: SpiffeId;
  /** The URI as it stands in the certificate. */
  readonly uri: string;
  /** Hex, colon-separated, as the authorize endpoint takes it. */
  readonly serial: string;
  /** Leaf first, root last. */
  readonly chain: readonly ParsedCertificate[];
}

export interface RefusedPeer {
  readonly ok: false;
  readonly code: Refusal;
  /** For logs: one line, no control characters. */
  readonly reason: string;
}

export type PeerVerification = VerifiedPeer | RefusedPeer;
