import { PkiError } from '../errors.ts';
import { verifySignature } from '../keys/index.ts';
import { parseSpiffeId } from '../spiffe/index.ts';
import type { CertificateRequest } from './parse.ts';

/**
 * A request of another CA of the same trust domain. Nothing of it but its key goes into the certificate, so asking for CA:true is not
 * needed, and naming hosts or mail boxes is refused.
 * @throws PkiError invalid-csr in Consul's words, SpiffeIdError
 */
export function verifyIntermediateCsr(csr: CertificateRequest, trustDomain: string): void {
  if (!verifySignature(csr.signatureAlgorithm, csr.publicKey, csr.signedBytes, csr.signature)) {
    throw new PkiError('invalid-csr', 'signature of certificate request is not valid');
  }
  const { uris, dnsNames, emails, ips, otherNames } = csr.extensions.names;
  const [uri] = uris;
  if (uri === undefined || uris.length !== 1)
    throw new PkiError('invalid-csr', `incoming CSR has unexpected number of URIs: ${uris.length}`);
  if (dnsNames.length + emails.length + ips.length + otherNames > 0) {
    throw new PkiError('invalid-csr', 'incoming CSR has names that are not allowed');
  }
  const id = parseSpiffeId(uri);
  if (id.kind !== 'signing' || id.trustDomain !== trustDomain) {
    throw new PkiError('invalid-csr', `incoming CSR domain "${uri}" is not valid for our domain "spiffe://${trustDomain}"`);
  }
}
