import type { RawExtension } from '../certificate/extensions.ts';
import { Oid } from '../der/index.ts';
import { PkiError } from '../errors.ts';
import { verifySignature } from '../keys/index.ts';
import { parseSpiffeId, type SpiffeId } from '../spiffe/index.ts';
import type { CertificateRequest } from './parse.ts';

/** What a request may ask for beside its identity. */
export interface CsrAllowance {
  readonly allowsDnsName?: (name: string, id: SpiffeId) => boolean;
  readonly allowsIp?: (ip: string, id: SpiffeId) => boolean;
}

const MIN_RSA_BITS = 2048;
const MAX_RSA_BITS = 8192;
/** Usages are set by the CA whatever the request says, so asking for them does no harm as long as it is not for a CA's. */
const KNOWN_EXTENSIONS: ReadonlySet<string> = new Set([
  Oid.subjectAltName,
  Oid.basicConstraints,
  Oid.keyUsage,
  Oid.extKeyUsage,
  Oid.subjectKeyIdentifier,
]);

/**
 * The identity that a leaf request asks for, after everything that must hold before a CA looks at it: whoever sent it holds the key,
 * it has exactly one URI SAN, and asks for nothing that was not allowed (CVE-2022-40716, consul-facts P024).
 * Whether the caller may have that identity is the CA's business.
 * @throws PkiError invalid-csr in Consul's words, SpiffeIdError
 */
export function verifyCsr(csr: CertificateRequest, allowance: CsrAllowance = {}): SpiffeId {
  if (csr.type === 'rsa' && (csr.bits < MIN_RSA_BITS || csr.bits > MAX_RSA_BITS))
    throw invalid(`RSA key of ${csr.bits} bits is not allowed`);
  if (!verifySignature(csr.signatureAlgorithm, csr.publicKey, csr.signedBytes, csr.signature)) {
    throw invalid('signature of certificate request is not valid');
  }
  const { names, isCa, keyUsage, raw } = csr.extensions;
  const [uri] = names.uris;
  if (uri === undefined || names.uris.length !== 1) throw invalid(`CSR SAN contains an invalid number of URIs: ${names.uris.length}`);
  if (names.emails.length > 0) throw invalid('CSR SAN does not allow specifying email addresses');
  if (names.otherNames > 0) throw invalid('CSR SAN contains names of a type that is not allowed');
  if (isCa) throw invalid('CSR asks for a CA certificate');
  if (keyUsage?.includes('keyCertSign') === true || keyUsage?.includes('cRLSign') === true)
    throw invalid('CSR asks for the key usage of a CA');
  checkExtensions(raw);
  const id = parseSpiffeId(uri);
  const dnsName = names.dnsNames.find((name) => allowance.allowsDnsName?.(name, id) !== true);
  if (dnsName !== undefined) throw invalid(`CSR SAN contains a DNS name that is not allowed: ${dnsName}`);
  const ip = names.ips.find((address) => allowance.allowsIp?.(address, id) !== true);
  if (ip !== undefined) throw invalid(`CSR SAN contains an IP address that is not allowed: ${ip}`);
  return id;
}

function checkExtensions(raw: ReadonlyMap<string, RawExtension>): void {
  for (const oid of raw.keys()) {
    if (!KNOWN_EXTENSIONS.has(oid)) throw invalid(`CSR asks for an extension that is not allowed: ${oid}`);
  }
}

function invalid(message: string): PkiError {
  return new PkiError('invalid-csr', message);
}
