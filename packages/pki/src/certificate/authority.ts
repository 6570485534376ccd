import { Oid, write } from '../der/index.ts';
import { keyId, keyIdOfSpki, type PrivateKey, publicKeyOf, spkiDer } from '../keys/index.ts';
import { trustDomainOf } from '../spiffe/index.ts';
import { buildCertificate } from './build.ts';
import {
  authorityKeyIdExtension,
  basicConstraintsExtension,
  copiedExtension,
  keyUsageExtension,
  subjectAltNameExtension,
  subjectKeyIdExtension,
} from './extensions-write.ts';
import { CA_KEY_USAGE } from './key-usage.ts';
import { commonName, EMPTY_NAME } from './names.ts';
import type { ParsedCertificate } from './parse.ts';

interface Validity {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

export interface RootOptions extends Validity {
  readonly key: PrivateKey;
  readonly serial: number | bigint;
  readonly commonName: string;
  readonly clusterId: string;
}

/** Who signs: a CA certificate and its key. */
export interface Signer {
  readonly certificate: ParsedCertificate;
  readonly key: PrivateKey;
}

export interface IntermediateOptions extends Validity {
  readonly signer: Signer;
  readonly serial: number | bigint;
  readonly clusterId: string;
  /** The SubjectPublicKeyInfo of the new CA. */
  readonly spki: Uint8Array;
}

export interface CrossSignedOptions extends Validity {
  readonly signer: Signer;
  readonly serial: number | bigint;
  /** The new root. */
  readonly root: ParsedCertificate;
}

/** A self-signed root with the fields of consul-facts P001; PEM. */
export function buildRoot(options: RootOptions): string {
  const publicKey = publicKeyOf(options.key);
  const id = keyId(publicKey);
  const name = commonName(options.commonName);
  return buildCertificate(
    {
      ...options,
      issuer: name,
      subject: name,
      spki: spkiDer(publicKey),
      extensions: [
        keyUsageExtension(CA_KEY_USAGE),
        basicConstraintsExtension(true),
        subjectKeyIdExtension(id),
        authorityKeyIdExtension(id),
        subjectAltNameExtension({ uris: [signingUri(options.clusterId)] }, false),
      ],
    },
    options.key,
  );
}

/** A CA that can sign leaves but no further CA: path length 0 (consul-facts P005); PEM. */
export function buildIntermediate(options: IntermediateOptions): string {
  return buildCertificate(
    {
      ...options,
      issuer: write.encoded(options.signer.certificate.subject),
      subject: EMPTY_NAME,
      extensions: [
        keyUsageExtension(CA_KEY_USAGE),
        basicConstraintsExtension(true, 0),
        subjectKeyIdExtension(keyIdOfSpki(options.spki)),
        authorityKeyIdExtension(signerKeyId(options.signer)),
        subjectAltNameExtension({ uris: [signingUri(options.clusterId)] }, true),
      ],
    },
    options.signer.key,
  );
}

/** A new root vouched for by the old one: same name, key and constraints, another issuer (consul-facts P003); PEM. */
export function buildCrossSigned(options: CrossSignedOptions): string {
  const { root, signer } = options;
  const copied = [Oid.keyUsage, Oid.extKeyUsage, Oid.basicConstraints, Oid.subjectKeyIdentifier, Oid.subjectAltName].flatMap((oid) => {
    const extension = root.extensions.raw.get(oid);
    return extension === undefined ? [] : [copiedExtension(oid, extension.critical, extension.value)];
  });
  return buildCertificate(
    {
      serial: options.serial,
      issuer: write.encoded(signer.certificate.subject),
      subject: write.encoded(root.subject),
      notBeforeMs: options.notBeforeMs,
      notAfterMs: options.notAfterMs,
      spki: root.spki,
      extensions: [...copied, authorityKeyIdExtension(signerKeyId(signer))],
    },
    signer.key,
  );
}

/** What the signer's certificate calls its key, so that OpenSSL finds the issuer; a foreign root may use another hash. */
export function signerKeyId(signer: Signer): Buffer {
  return signer.certificate.subjectKeyId ?? keyIdOfSpki(signer.certificate.spki);
}

function signingUri(clusterId: string): string {
  return `spiffe://${trustDomainOf(clusterId)}`;
}
