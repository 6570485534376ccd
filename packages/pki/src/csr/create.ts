import { encodeDer, Oid, write } from '../der/index.ts';
import { subjectAltNameExtension } from '../certificate/extensions-write.ts';
import { EMPTY_NAME } from '../certificate/names.ts';
import { type PrivateKey, publicKeyOf, signatureAlgorithm, signWith, spkiDer } from '../keys/index.ts';
import { encodePem } from '../pem/index.ts';
import { formatSpiffeId, type SpiffeId } from '../spiffe/index.ts';

export interface CsrOptions {
  readonly id: SpiffeId;
  readonly key: PrivateKey;
  /** For agents and servers, which are also reached by host name. */
  readonly dnsNames?: readonly string[];
  readonly ips?: readonly string[];
}

export const CSR_LABEL = 'CERTIFICATE REQUEST';

/**
 * A PKCS #10 request (RFC 2986) for a leaf: empty subject, the identity in a critical URI SAN; PEM.
 * @throws PkiError invalid-san
 */
export function createCsr(options: CsrOptions): string {
  const { id, key, dnsNames = [], ips = [] } = options;
  const names = subjectAltNameExtension({ uris: [formatSpiffeId(id)], dnsNames, ips }, true);
  const extensionRequest = write.sequence(write.oid(Oid.extensionRequest), write.set(write.sequence(names)));
  const info = write.sequence(
    write.integer(0),
    EMPTY_NAME,
    write.encoded(spkiDer(publicKeyOf(key))),
    write.contextConstructed(0, extensionRequest),
  );
  const signature = signWith(key, encodeDer(info));
  return encodePem(CSR_LABEL, encodeDer(write.sequence(info, signatureAlgorithm(key.type), write.bitString(signature))));
}
