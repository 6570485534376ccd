import { constants, X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import type { CaRoots, IssuedCert } from '@lictor/protocol';
import { TrustBundle } from '@lictor/pki';

/** Everything that a handshake needs. Immutable: a rotation makes a new one, open connections keep the old one. */
export interface Credentials {
  /** Rises with every change of leaf or roots. */
  readonly generation: number;
  /** For a server's `setSecureContext`. */
  readonly tls: SecureContextOptions;
  /** The same, ready for callers. */
  readonly context: SecureContext;
  readonly trustDomain: string;
  readonly bundle: TrustBundle;
  /** Common names of the roots, the active one first. */
  readonly rootNames: readonly string[];
  /** SPIFFE id of the leaf. */
  readonly uri: string;
  /** Wall-clock times of the leaf. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** AES-128 first: what Go's and BoringSSL's sides choose, and a quarter faster than AES-256. No CBC, no RSA key exchange. */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

/** No renegotiation, and no tickets: every connection is verified afresh (Envoy CVE-2022-21654), and resumption buys a Node pair little. */
const SECURE_OPTIONS = constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_COMPRESSION;

/** Keeps the newest leaf and roots and makes credentials of them. Holds no clock: validity is for its users to check. */
export class CredentialStore {
  #roots: CaRoots | undefined;
  #leaf: IssuedCert | undefined;
  #current: Credentials | undefined;
  #generation = 0;

  get current(): Credentials | undefined {
    return this.#current;
  }

  /** True when the credentials changed. @throws Error when the roots cannot be used; the former stay */
  setRoots(roots: CaRoots): boolean {
    return this.#rebuild(roots, this.#leaf);
  }

  /** True when the credentials changed. @throws Error when the leaf cannot be used; the former stays */
  setLeaf(leaf: IssuedCert): boolean {
    return this.#rebuild(this.#roots, leaf);
  }

  #rebuild(roots: CaRoots | undefined, leaf: IssuedCert | undefined): boolean {
    if (roots !== undefined && leaf !== undefined) {
      if (this.#current !== undefined && sameRoots(roots, this.#roots) && sameLeaf(leaf, this.#leaf)) return false;
      this.#current = createCredentials(roots, leaf, ++this.#generation);
    }
    this.#roots = roots;
    this.#leaf = leaf;
    return this.#current !== undefined;
  }
}

function createCredentials(roots: CaRoots, leaf: IssuedCert, generation: number): Credentials {
  const rootPems = [...roots.Roots].sort((a, b) => Number(b.Active) - Number(a.Active)).map((root) => root.RootCert);
  const tls: SecureContextOptions = {
    cert: leaf.CertPEM,
    key: leaf.PrivateKeyPEM ?? '',
    ca: rootPems,
    minVersion: 'TLSv1.2',
    ciphers: CIPHERS,
    honorCipherOrder: true,
    secureOptions: SECURE_OPTIONS,
  };
  const certificate = new X509Certificate(leaf.CertPEM);
  return {
    generation,
    tls,
    context: createSecureContext(tls),
    trustDomain: roots.TrustDomain,
    bundle: new TrustBundle([{ trustDomain: roots.TrustDomain, rootPems }]),
    rootNames: rootPems.map(commonNameOf),
    uri: leaf.ServiceURI ?? '',
    notBeforeMs: Date.parse(certificate.validFrom),
    notAfterMs: Date.parse(certificate.validTo),
  };
}

function commonNameOf(pem: string): string {
  return /^CN=(.*)$/m.exec(new X509Certificate(pem).subject)?.[1] ?? '';
}

function sameRoots(a: CaRoots, b: CaRoots | undefined): boolean {
  if (b === undefined || a.TrustDomain !== b.TrustDomain || a.Roots.length !== b.Roots.length) return false;
  return a.Roots.every((root, index) => root.RootCert === b.Roots[index]?.RootCert && root.Active === b.Roots[index]?.Active);
}

function sameLeaf(a: IssuedCert, b: IssuedCert | undefined): boolean {
  return b !== undefined && a.CertPEM === b.CertPEM;
}
