import type { ParsedCertificate } from '../certificate/index.ts';
import type { CertificateRequest } from '../csr/index.ts';
import type { SpiffeId } from '../spiffe/index.ts';
import type { RawCaConfig } from './config.ts';

/**
 * What a provider wants kept beside its configuration: names of things it made elsewhere, never secrets, for operators read it. It is
 * replicated with the configuration and given back to the next leader's provider.
 */
export type CaProviderState = Readonly<Record<string, string>>;

export interface CaProviderOptions {
  /** The first label of the trust domain; never changes. */
  readonly clusterId: string;
  readonly datacenter: string;
  readonly config: RawCaConfig;
  /** What `state` answered when this configuration was stored; null at first, and after a change of provider. */
  readonly state: CaProviderState | null;
}

/** A leaf to be signed. The request was verified and its sender authorised; `id` counts, not the URI of the request. */
export interface LeafSigningRequest {
  readonly csr: CertificateRequest;
  readonly id: SpiffeId;
}

/**
 * Where certificates come from: the port that a built-in CA, Vault or a cloud's private CA implements.
 *
 * 1. One instance serves one configuration. A change of configuration makes a new instance, which is configured and asked for its root
 *    before anything is stored; the old one signs until the new root is active, then `cleanup` is called on it.
 * 2. `configure` comes first and once. It must be safe to repeat on another server with the same options: leaders change.
 * 3. `generateRoot` answers the same certificate for the same options and state, on every server, until `cleanup`. A different
 *    certificate means a rotation of the whole mesh.
 * 4. Nothing is signed beyond the life of the signer's certificate, nor after it.
 * 5. Refusals are PkiErrors; `rate-limited` makes the caller try again later. Everything else is an outage, and is retried.
 * 6. Private keys never appear in answers, errors or logs.
 *
 * `caProviderContract` of `@lictor/pki/testing` holds every provider to this.
 */
export interface CaProvider {
  /** Validates the configuration and reaches whatever it names. @throws PkiError invalid-config */
  configure(options: CaProviderOptions): Promise<void>;
  /** To be stored with the configuration, after `configure`. */
  state(): CaProviderState | null;
  /** PEM of the root, made at first use. */
  generateRoot(): Promise<string>;
  /** PEM of the certificate whose key signs leaves: the root, or an intermediate that then belongs into every leaf's chain. */
  activeLeafSigningCert(): Promise<string>;
  /** PEM of the leaf alone. @throws PkiError not-initialized, signer-expired, rate-limited */
  sign(request: LeafSigningRequest): Promise<string>;
  /** PEM of a CA certificate with path length 0 for a request of the same trust domain. @throws PkiError invalid-csr */
  signIntermediate(csr: CertificateRequest): Promise<string>;
  /** PEM of another CA's root signed by this one, so that peers who know only this root can follow a rotation. */
  crossSign(root: ParsedCertificate): Promise<string>;
  /** Whether `crossSign` can work, after `configure`. */
  supportsCrossSigning(): boolean;
  /**
   * The state that makes the same configuration yield a fresh root, for renewal before the active one expires. Null when the root is not
   * this provider's to renew.
   */
  renewalState(): CaProviderState | null;
  /** Forgets what was made for this configuration: it was replaced, or never became active. */
  cleanup(): Promise<void>;
  /** Ends background work (token renewal); the instance is not used afterwards. */
  stop(): void;
}
