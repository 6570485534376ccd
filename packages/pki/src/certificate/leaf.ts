import { write } from '../der/index.ts';
import { keyIdOfSpki } from '../keys/index.ts';
import { formatSpiffeId, type SpiffeId } from '../spiffe/index.ts';
import { type Signer, signerKeyId } from './authority.ts';
import { buildCertificate } from './build.ts';
import {
  authorityKeyIdExtension,
  basicConstraintsExtension,
  keyUsageExtension,
  leafExtKeyUsageExtension,
  subjectAltNameExtension,
  subjectKeyIdExtension,
} from './extensions-write.ts';
import { LEAF_KEY_USAGE } from './key-usage.ts';
import { EMPTY_NAME } from './names.ts';

export interface LeafOptions {
  readonly signer: Signer;
  readonly serial: number | bigint;
  readonly id: SpiffeId;
  /** Agents and servers have names of hosts beside their id; services have none. */
  readonly dnsNames?: readonly string[];
  readonly ips?: readonly string[];
  /** The SubjectPublicKeyInfo of the certificate request. */
  readonly spki: Uint8Array;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/**
 * A leaf with the fields of consul-facts P004 and decision D3: empty subject, identity only in a critical URI SAN; PEM.
 * @throws PkiError invalid-san
 */
export function buildLeaf(options: LeafOptions): string {
  const { signer, id, dnsNames = [], ips = [] } = options;
  return buildCertificate(
    {
      serial: options.serial,
      issuer: write.encoded(signer.certificate.subject),
      subject: EMPTY_NAME,
      notBeforeMs: options.notBeforeMs,
      notAfterMs: options.notAfterMs,
      spki: options.spki,
      extensions: [
        keyUsageExtension(LEAF_KEY_USAGE),
        leafExtKeyUsageExtension(),
        basicConstraintsExtension(false),
        subjectKeyIdExtension(keyIdOfSpki(options.spki)),
        authorityKeyIdExtension(signerKeyId(signer)),
        subjectAltNameExtension({ uris: [formatSpiffeId(id)], dnsNames, ips }, true),
      ],
    },
    signer.key,
  );
}
