import { type KeyObject, X509Certificate } from 'node:crypto';
import { type ParsedCertificate, parseCertificate } from '../certificate/index.ts';
import { PkiError } from '../errors.ts';

/** A certificate for reading, beside OpenSSL's object for checking signatures. */
export interface ChainCertificate {
  readonly parsed: ParsedCertificate;
  readonly x509: X509Certificate;
  readonly publicKey: KeyObject;
}

/** @throws PkiError when either parser refuses it */
export function readChainCertificate(der: Uint8Array): ChainCertificate {
  const parsed = parseCertificate(der);
  try {
    const x509 = new X509Certificate(parsed.raw);
    return { parsed, x509, publicKey: x509.publicKey };
  } catch (error) {
    throw new PkiError('invalid-certificate', 'certificate cannot be read', { cause: error });
  }
}
