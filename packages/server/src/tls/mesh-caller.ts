import { X509Certificate } from 'node:crypto';
import { certificateFingerprint, maybeParseSpiffeId, parseCertificate, PkiError, splitPemBundle } from '@lictor/pki';

/** The CA of this datacenter's mesh, whose certificates agents have that got theirs from the servers. */
export interface MeshTrust {
  readonly trustDomain: string;
  readonly datacenter: string;
  /** PEM, also those that are not active any more. */
  readonly rootPems: readonly string[];
  /** PEM: what may stand between a root and a certificate. */
  readonly intermediatePems: readonly string[];
}

/** Whose a caller's certificate is, as far as the mesh goes. */
export type MeshCaller =
  /** Nothing of the mesh: it is for the agents' own CA to say who that is. */
  { readonly kind: 'stranger' } | { readonly kind: 'agent'; readonly node: string } | { readonly kind: 'refused'; readonly reason: string };

/**
 * The CA of the mesh vouches for services too, and a proxy holds its service's certificate: only an agent's is one at the servers' door.
 * Default is refusal.
 */
export function readMeshCaller(certificate: Uint8Array, mesh: ParsedMeshTrust): MeshCaller {
  try {
    const { uris } = parseCertificate(certificate);
    const prefix = `spiffe://${mesh.trustDomain}`;
    const isOfMesh = uris.some((uri) => uri.toLowerCase().startsWith(prefix)) || mesh.hasIssued(certificate);
    if (!isOfMesh) return { kind: 'stranger' };
    const id = uris.length === 1 ? maybeParseSpiffeId(uris[0] ?? '') : undefined;
    const { trustDomain, datacenter } = mesh;
    if (id?.kind === 'agent' && id.trustDomain === trustDomain && id.datacenter === datacenter && id.partition === 'default') {
      return { kind: 'agent', node: id.node };
    }
    return { kind: 'refused', reason: `the caller's certificate is of the mesh, and not of a client agent of ${datacenter}` };
  } catch (error) {
    return { kind: 'refused', reason: `the caller's certificate cannot be read${error instanceof PkiError ? `: ${error.message}` : ''}` };
  }
}

export interface ParsedMeshTrust extends MeshTrust {
  /** By issuer's name and key id: a claim of the certificate, but one that only takes rights away. */
  hasIssued(certificate: Uint8Array): boolean;
}

/** `agentCaPems`: where one CA is both, what it has issued may be either, and names of the mesh alone tell. @throws Error for what is no certificate */
export function parseMeshTrust(mesh: MeshTrust, agentCaPems: readonly string[]): ParsedMeshTrust {
  const agentCas = new Set(agentCaPems.flatMap((pem) => splitPemBundle(pem).map(certificateFingerprint)));
  const issuers = [...mesh.rootPems, ...mesh.intermediatePems]
    .flatMap(splitPemBundle)
    .filter((der) => !agentCas.has(certificateFingerprint(der)))
    .map((der) => new X509Certificate(der));
  return {
    ...mesh,
    hasIssued: (certificate) => {
      const leaf = new X509Certificate(certificate);
      return issuers.some((issuer) => leaf.checkIssued(issuer));
    },
  };
}
