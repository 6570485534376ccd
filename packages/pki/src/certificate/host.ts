import { write } from '../der/index.ts';
import { keyId, keyIdOfSpki, type PrivateKey, publicKeyOf, spkiDer } from '../keys/index.ts';
import { formatSpiffeId } from '../spiffe/index.ts';
import { type Signer, signerKeyId } from './authority.ts';
import { buildCertificate } from './build.ts';
import {
  authorityKeyIdExtension,
  basicConstraintsExtension,
  extKeyUsageExtension,
  keyUsageExtension,
  permittedDomainsExtension,
  subjectAltNameExtension,
  subjectKeyIdExtension,
} from './extensions-write.ts';
import { CA_KEY_USAGE } from './key-usage.ts';
import { commonName } from './names.ts';

export type ExtKeyUsage = 'serverAuth' | 'clientAuth';

export interface AgentCaOptions {
  readonly key: PrivateKey;
  readonly serial: number | bigint;
  /** At most 64 characters. */
  readonly commonName: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Hosts below these alone may be named by what it signs; empty: any. */
  readonly permittedDomains: readonly string[];
  /** Of the mesh whose CA this is to be too; undefined: of none. */
  readonly trustDomain?: string;
}

export interface HostCertificateOptions {
  readonly signer: Signer;
  readonly key: PrivateKey;
  readonly serial: number | bigint;
  /** At most 64 characters. */
  readonly commonName: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly dnsNames: readonly string[];
  readonly ips: readonly string[];
  /** In this order; none: any use. */
  readonly extKeyUsage: readonly ExtKeyUsage[];
}

/** A self-signed CA of agents, which are hosts and no services: what `tls ca create` makes (consul-facts P007); PEM. @throws SpiffeIdError */
export function buildAgentCa(options: AgentCaOptions): string {
  const { key, trustDomain, permittedDomains } = options;
  const publicKey = publicKeyOf(key);
  const id = keyId(publicKey);
  const name = commonName(options.commonName);
  const extensions = [
    keyUsageExtension(CA_KEY_USAGE),
    basicConstraintsExtension(true),
    subjectKeyIdExtension(id),
    authorityKeyIdExtension(id),
    ...(trustDomain === undefined ? [] : [subjectAltNameExtension({ uris: [formatSpiffeId({ kind: 'signing', trustDomain })] }, false)]),
    ...(permittedDomains.length === 0 ? [] : [permittedDomainsExtension(permittedDomains)]),
  ];
  return buildCertificate({ ...options, issuer: name, subject: name, spki: spkiDer(publicKey), extensions }, key);
}

/** The certificate of an agent or of a person's command line: what `tls cert create` makes (consul-facts P008); PEM. @throws PkiError invalid-san */
export function buildHostCertificate(options: HostCertificateOptions): string {
  const { signer, key, dnsNames, ips, extKeyUsage } = options;
  const spki = spkiDer(publicKeyOf(key));
  const extensions = [
    keyUsageExtension(['digitalSignature', 'keyEncipherment']),
    ...(extKeyUsage.length === 0 ? [] : [extKeyUsageExtension(extKeyUsage)]),
    basicConstraintsExtension(false),
    subjectKeyIdExtension(keyIdOfSpki(spki)),
    authorityKeyIdExtension(signerKeyId(signer)),
    subjectAltNameExtension({ dnsNames, ips }, false),
  ];
  const issuer = write.encoded(signer.certificate.subject);
  return buildCertificate({ ...options, issuer, subject: commonName(options.commonName), spki, extensions }, signer.key);
}
