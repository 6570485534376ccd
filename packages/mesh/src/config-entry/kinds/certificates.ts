import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { schema } from '@lictor/protocol';
import { rejected } from '../../problems.ts';
import { commonFields, kept, struct, text } from '../../shape/index.ts';
import { defineKind } from '../kind.ts';
import { validateMeta } from './meta.ts';

const shape = struct({ ...commonFields, Certificate: kept(text()), PrivateKey: kept(text()) });
export type CertificateEntry = schema.Infer<typeof shape>;

/** Envoy refuses shorter RSA keys without a word. */
const MIN_RSA_BITS = 2048;
const PEM = /-----BEGIN [A-Z0-9 ]+-----[\s\S]+?-----END [A-Z0-9 ]+-----/;

export const inlineCertificate = defineKind<CertificateEntry>({
  kind: 'inline-certificate',
  shape,
  validate: (entry) => {
    validateMeta(entry.Meta);
    const key = parseKey(entry.PrivateKey);
    if (!PEM.test(entry.Certificate)) throw rejected('failed to parse certificate PEM');
    const certificate = parseCertificate(entry.Certificate);
    if (!certificate.checkPrivateKey(key)) throw rejected('tls: private key does not match public key');
  },
});

/** Paths on the gateway's machine; nothing reads them here. */
export const fileSystemCertificate = defineKind<CertificateEntry>({
  kind: 'file-system-certificate',
  shape,
  validate: (entry) => validateMeta(entry.Meta),
});

function parseKey(pem: string): KeyObject {
  if (!PEM.test(pem)) throw rejected('failed to parse private key PEM');
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    // OpenSSL's own message may quote input; the key must not travel in errors.
    throw rejected('failed to parse private key');
  }
  if (key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) < MIN_RSA_BITS) {
    throw rejected('key length must be at least 2048 bits');
  }
  return key;
}

function parseCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw rejected(`failed to parse certificate: ${error instanceof Error ? error.message : String(error)}`);
  }
}
