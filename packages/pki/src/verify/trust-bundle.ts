import type { ParsedCertificate } from '../certificate/index.ts';
import { PkiError } from '../errors.ts';
import { splitPemBundle } from '../pem/index.ts';
import { checkTrustDomain } from '../spiffe/rules.ts';
import { type ChainCertificate, readChainCertificate } from './chain-certificate.ts';

/** A chain whose signatures and rules hold; only time is left to check. Leaf first, root last. */
export type TrustedChain = readonly ParsedCertificate[];

export interface TrustDomainRoots {
  readonly trustDomain: string;
  /** PEM texts, each with one or more certificates. */
  readonly rootPems: readonly string[];
}

const MAX_CACHED_CHAINS = 1024;

/**
 * The roots that may vouch for each trust domain, by trust domain: the roots of a peer must not mint identities of ours, so the domain is
 * chosen first and only its roots are tried (SPIFFE X.509-SVID section 5, SPIFFE Federation).
 *
 * Immutable: new roots mean a new bundle, which also forgets every chain that was checked against the old ones (Envoy CVE-2022-21654).
 */
export class TrustBundle {
  readonly #roots = new Map<string, readonly ChainCertificate[]>();
  readonly #chains = new Map<string, TrustedChain>();

  /** @throws PkiError when a root cannot be read or is no CA, SpiffeIdError for a malformed trust domain */
  constructor(domains: readonly TrustDomainRoots[]) {
    for (const { trustDomain, rootPems } of domains) {
      checkTrustDomain(trustDomain);
      this.#roots.set(trustDomain, rootPems.flatMap(splitPemBundle).map(readRoot));
    }
  }

  get trustDomains(): readonly string[] {
    return [...this.#roots.keys()];
  }

  /** Undefined for a domain that this bundle knows nothing about. */
  rootsOf(trustDomain: string): readonly ChainCertificate[] | undefined {
    return this.#roots.get(trustDomain);
  }

  /** A chain that was checked before, by the digest of all its bytes. */
  cachedChain(digest: string): TrustedChain | undefined {
    return this.#chains.get(digest);
  }

  /** Only good chains are kept, so that hostile ones cannot push them out without a signature of ours. */
  rememberChain(digest: string, chain: TrustedChain): void {
    if (this.#chains.size >= MAX_CACHED_CHAINS) {
      const oldest = this.#chains.keys().next();
      if (!oldest.done) this.#chains.delete(oldest.value);
    }
    this.#chains.set(digest, chain);
  }
}

function readRoot(der: Buffer): ChainCertificate {
  const root = readChainCertificate(der);
  if (!root.parsed.isCa) throw new PkiError('invalid-certificate', 'root is not a CA certificate');
  return root;
}
