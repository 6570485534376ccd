import { certificateFingerprint, colonHex, keyInfo, parseCertificate } from '@lictor/pki';
import type { CaRoot } from '@lictor/protocol';
import { createPublicKey } from 'node:crypto';
import type { CaRootFields } from '../fsm/commands/connect-ca.ts';

const PRETTY_NAMES: ReadonlyMap<string, string> = new Map([
  ['consul', 'Consul'],
  ['vault', 'Vault'],
  ['aws-pca', 'Aws-Pca'],
]);

/** The row of a provider's root (consul-facts P013, P014). @throws PkiError when it is no certificate of a known key type */
export function createCaRoot(rootPem: string, provider: string, clusterId: string): CaRootFields {
  const certificate = parseCertificate(rootPem);
  const { type, bits } = keyInfo(createPublicKey({ key: certificate.spki, format: 'der', type: 'spki' }));
  return {
    ID: certificateFingerprint(certificate.raw),
    Name: `${PRETTY_NAMES.get(provider) ?? provider} CA Primary Cert`,
    SerialNumber: Number(BigInt.asUintN(64, BigInt(`0x${certificate.serialHex}`))),
    SigningKeyID: colonHex(certificate.subjectKeyId ?? Buffer.alloc(0)),
    ExternalTrustDomain: clusterId,
    NotBefore: rfc3339(certificate.notBeforeMs),
    NotAfter: rfc3339(certificate.notAfterMs),
    RootCert: withNewline(rootPem),
    IntermediateCerts: null,
    Active: true,
    PrivateKeyType: type,
    PrivateKeyBits: bits,
  };
}

/** The list with `next` active and the one before retired at `nowMs`. */
export function rotateRoots(roots: readonly CaRoot[], next: CaRootFields, nowMs: number): readonly CaRootFields[] {
  const others = roots.filter((root) => root.ID !== next.ID);
  return [...others.map((root) => (root.Active ? { ...root, Active: false, RotatedOutAt: rfc3339(nowMs) } : root)), next];
}

/**
 * What is still needed: a retired root until every leaf that it signed has expired with time to spare (consul-facts P021), and of the
 * active one's intermediates those that are still valid.
 */
export function pruneRoots(roots: readonly CaRoot[], leafTtlMs: number, nowMs: number): readonly CaRootFields[] {
  const isNeeded = (root: CaRoot): boolean =>
    root.Active || root.RotatedOutAt === undefined || nowMs - Date.parse(root.RotatedOutAt) <= 2 * leafTtlMs;
  return roots.filter(isNeeded).map((root) => (root.Active ? withoutExpired(root, nowMs) : root));
}

export function withNewline(pem: string): string {
  return pem.endsWith('\n') ? pem : `${pem}\n`;
}

/** Seconds, as certificates count. */
export function rfc3339(atMs: number): string {
  return new Date(atMs).toISOString().replace(/\.\d+Z$/, 'Z');
}

function withoutExpired(root: CaRoot, nowMs: number): CaRootFields {
  const certs = root.IntermediateCerts ?? [];
  const valid = certs.filter((pem) => parseCertificate(pem).notAfterMs >= nowMs);
  if (valid.length === certs.length) return root;
  return { ...root, IntermediateCerts: valid.length === 0 ? null : valid };
}
