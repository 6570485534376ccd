import { encodeDer, write } from '../der/index.ts';
import { type PrivateKey, signatureAlgorithm, signWith } from '../keys/index.ts';
import { encodePem } from '../pem/index.ts';

/** Everything of a certificate but its signature; names, key and extensions as DER values. */
export interface CertificateFields {
  /** Positive, at most 20 octets (RFC 5280 4.1.2.2). */
  readonly serial: number | bigint;
  readonly issuer: write.DerValue;
  readonly subject: write.DerValue;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly spki: Uint8Array;
  readonly extensions: readonly write.DerValue[];
}

const VERSION_3 = 2;

/** Signs and returns PEM. */
export function buildCertificate(fields: CertificateFields, signer: PrivateKey): string {
  const algorithm = signatureAlgorithm(signer.type);
  const body = write.sequence(
    write.contextConstructed(0, write.integer(VERSION_3)),
    write.integer(fields.serial),
    algorithm,
    fields.issuer,
    write.sequence(write.time(fields.notBeforeMs), write.time(fields.notAfterMs)),
    fields.subject,
    write.encoded(fields.spki),
    write.contextConstructed(3, write.sequence(...fields.extensions)),
  );
  const signature = signWith(signer, encodeDer(body));
  return encodePem('CERTIFICATE', encodeDer(write.sequence(body, algorithm, write.bitString(signature))));
}
