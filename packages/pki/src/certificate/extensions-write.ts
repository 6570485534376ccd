import { encodeDer, Oid, write } from '../der/index.ts';
import { KEY_USAGES, type KeyUsage } from './key-usage.ts';
import { encodeSubjectAltNames, type SubjectAltNames } from './san.ts';

/** Of a GeneralName. */
const DNS_NAME = 2;

export function keyUsageExtension(usages: readonly KeyUsage[]): write.DerValue {
  return extension(Oid.keyUsage, true, write.namedBits(usages.map((usage) => KEY_USAGES.indexOf(usage))));
}

/** Client first, as Consul writes it. */
export function leafExtKeyUsageExtension(): write.DerValue {
  return extKeyUsageExtension(['clientAuth', 'serverAuth']);
}

export function extKeyUsageExtension(usages: readonly ('clientAuth' | 'serverAuth')[]): write.DerValue {
  return extension(Oid.extKeyUsage, false, write.sequence(...usages.map((usage) => write.oid(Oid[usage]))));
}

/** The domains below which a CA's certificates may name hosts; critical, for who cannot read it must not trust the CA (RFC 5280 4.2.1.10). */
export function permittedDomainsExtension(domains: readonly string[]): write.DerValue {
  const subtrees = domains.map((domain) => write.sequence(write.contextPrimitive(DNS_NAME, Buffer.from(domain, 'latin1'))));
  return extension(Oid.nameConstraints, true, write.sequence(write.contextConstructed(0, ...subtrees)));
}

/** `cA` is left out when false, for that is its default (X.690 11.5). */
export function basicConstraintsExtension(isCa: boolean, pathLength?: number): write.DerValue {
  const parts = isCa ? [write.boolean(true)] : [];
  if (pathLength !== undefined) parts.push(write.integer(pathLength));
  return extension(Oid.basicConstraints, true, write.sequence(...parts));
}

export function subjectKeyIdExtension(keyId: Uint8Array): write.DerValue {
  return extension(Oid.subjectKeyIdentifier, false, write.octetString(keyId));
}

export function authorityKeyIdExtension(keyId: Uint8Array): write.DerValue {
  return extension(Oid.authorityKeyIdentifier, false, write.sequence(write.contextPrimitive(0, keyId)));
}

/** Critical when the subject is empty (RFC 5280 4.2.1.6). @throws PkiError invalid-san */
export function subjectAltNameExtension(names: Partial<SubjectAltNames>, critical: boolean): write.DerValue {
  return extension(Oid.subjectAltName, critical, encodeSubjectAltNames(names));
}

/** An extension taken over from another certificate as it stands. */
export function copiedExtension(oid: string, critical: boolean, value: Uint8Array): write.DerValue {
  return extensionOf(oid, critical, value);
}

function extension(oid: string, critical: boolean, value: write.DerValue): write.DerValue {
  return extensionOf(oid, critical, encodeDer(value));
}

function extensionOf(oid: string, critical: boolean, value: Uint8Array): write.DerValue {
  const flag = critical ? [write.boolean(true)] : [];
  return write.sequence(write.oid(oid), ...flag, write.octetString(value));
}
