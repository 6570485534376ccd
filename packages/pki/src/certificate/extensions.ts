import {
  contextTag,
  decodeBoolean,
  decodeNamedBits,
  decodeOid,
  decodeSmallInteger,
  DerReader,
  enterSingle,
  malformed,
  Oid,
  readSingle,
  Tag,
} from '../der/index.ts';
import { KEY_USAGES, type KeyUsage } from './key-usage.ts';
import { NO_NAMES, parseSubjectAltNames, type SubjectAltNames } from './san.ts';

/** One extension as it stands: `value` is the DER inside the octet string. */
export interface RawExtension {
  readonly critical: boolean;
  readonly value: Buffer;
}

/** What a certificate's or a request's extensions say. */
export interface Extensions {
  readonly names: SubjectAltNames;
  /** False when basicConstraints is absent: such a certificate is no CA (node-forge CVE-2026-33896). */
  readonly isCa: boolean;
  readonly pathLength?: number;
  /** Null when absent. */
  readonly keyUsage: readonly KeyUsage[] | null;
  /** `serverAuth`, `clientAuth`, or a dotted OID. Null when absent. */
  readonly extKeyUsage: readonly string[] | null;
  readonly subjectKeyId?: Buffer;
  readonly authorityKeyId?: Buffer;
  readonly raw: ReadonlyMap<string, RawExtension>;
}

const MAX_EXTENSIONS = 32;
const EXT_KEY_USAGES: ReadonlyMap<string, string> = new Map([
  [Oid.serverAuth, 'serverAuth'],
  [Oid.clientAuth, 'clientAuth'],
]);

/** Reads `Extensions ::= SEQUENCE OF Extension`. @throws PkiError invalid-der, invalid-san */
export function parseExtensions(reader: DerReader): Extensions {
  const raw = readAll(reader);
  const value = (oid: string): Buffer | undefined => raw.get(oid)?.value;
  const names = value(Oid.subjectAltName);
  const constraints = value(Oid.basicConstraints);
  const keyUsage = value(Oid.keyUsage);
  const extKeyUsage = value(Oid.extKeyUsage);
  const subjectKeyId = value(Oid.subjectKeyIdentifier);
  const authorityKeyId = value(Oid.authorityKeyIdentifier);
  return {
    names: names === undefined ? NO_NAMES : parseSubjectAltNames(names),
    ...(constraints === undefined ? { isCa: false } : parseBasicConstraints(constraints)),
    keyUsage: keyUsage === undefined ? null : parseKeyUsage(keyUsage),
    extKeyUsage: extKeyUsage === undefined ? null : parseExtKeyUsage(extKeyUsage),
    ...(subjectKeyId === undefined ? {} : { subjectKeyId: readSingle(subjectKeyId, Tag.octetString).content }),
    ...(authorityKeyId === undefined ? {} : parseAuthorityKeyId(authorityKeyId)),
    raw,
  };
}

export const NO_EXTENSIONS: Extensions = { names: NO_NAMES, isCa: false, keyUsage: null, extKeyUsage: null, raw: new Map() };

function readAll(reader: DerReader): Map<string, RawExtension> {
  const raw = new Map<string, RawExtension>();
  while (!reader.isAtEnd) {
    const extension = reader.enter(Tag.sequence);
    const oid = decodeOid(extension.read(Tag.oid).content);
    const flag = extension.readOptional(Tag.boolean);
    const critical = flag !== undefined && decodeBoolean(flag.content);
    // X.690 11.5: a default value is left out.
    if (flag !== undefined && !critical) throw malformed('default value encoded');
    const value = extension.read(Tag.octetString).content;
    extension.end();
    if (raw.has(oid)) throw malformed('extension given twice');
    if (raw.size === MAX_EXTENSIONS) throw malformed('too many extensions');
    raw.set(oid, { critical, value });
  }
  return raw;
}

function parseBasicConstraints(der: Buffer): { readonly isCa: boolean; readonly pathLength?: number } {
  const reader = enterSingle(der);
  const flag = reader.readOptional(Tag.boolean);
  const isCa = flag !== undefined && decodeBoolean(flag.content);
  if (flag !== undefined && !isCa) throw malformed('default value encoded');
  const length = reader.readOptional(Tag.integer);
  reader.end();
  return length === undefined ? { isCa } : { isCa, pathLength: decodeSmallInteger(length.content) };
}

function parseKeyUsage(der: Buffer): readonly KeyUsage[] {
  return decodeNamedBits(readSingle(der, Tag.bitString).content).map((bit) => {
    const usage = KEY_USAGES[bit];
    if (usage === undefined) throw malformed('unknown key usage');
    return usage;
  });
}

function parseExtKeyUsage(der: Buffer): readonly string[] {
  const reader = enterSingle(der);
  const usages: string[] = [];
  while (!reader.isAtEnd) {
    const oid = decodeOid(reader.read(Tag.oid).content);
    usages.push(EXT_KEY_USAGES.get(oid) ?? oid);
  }
  return usages;
}

/** Issuer and serial, which the extension may hold beside the key id, are left to OpenSSL. */
function parseAuthorityKeyId(der: Buffer): { readonly authorityKeyId?: Buffer } {
  const id = enterSingle(der).readOptional(contextTag(0));
  return id === undefined ? {} : { authorityKeyId: id.content };
}
