import {
  contextConstructedTag,
  contextTag,
  decodeSmallInteger,
  decodeTime,
  decodeUnsigned,
  decodeWholeBitString,
  DerReader,
  enterSingle,
  malformed,
  readSingle,
  Tag,
} from '../der/index.ts';
import { PkiError } from '../errors.ts';
import { readAlgorithm } from '../keys/index.ts';
import { decodeFirstPem } from '../pem/index.ts';
import { type Extensions, NO_EXTENSIONS, parseExtensions } from './extensions.ts';
import type { KeyUsage } from './key-usage.ts';
import type { SubjectAltNames } from './san.ts';

/** Far above any certificate of a mesh; what is larger is not looked at. */
export const MAX_CERTIFICATE_BYTES = 64 * 1024;

/** A certificate as its DER says, names by type and never as text with separators. */
export interface ParsedCertificate extends Omit<SubjectAltNames, 'otherNames'> {
  readonly otherNames: number;
  readonly isCa: boolean;
  readonly pathLength?: number;
  /** Null when the extension is absent. */
  readonly keyUsage: readonly KeyUsage[] | null;
  /** `serverAuth`, `clientAuth` or dotted OIDs; null when the extension is absent. */
  readonly extKeyUsage: readonly string[] | null;
  /** Lower-case hex, two digits a byte, no separator. */
  readonly serialHex: string;
  readonly subjectKeyId?: Buffer;
  readonly authorityKeyId?: Buffer;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** The DER of the names, for comparing and copying. */
  readonly subject: Buffer;
  readonly issuer: Buffer;
  /** The SubjectPublicKeyInfo. */
  readonly spki: Buffer;
  readonly signatureAlgorithm: string;
  readonly extensions: Extensions;
  readonly raw: Buffer;
}

/**
 * Reads an X.509 v3 certificate from DER, or from the first block of PEM text. Says nothing about trust: see `verifyPeer`.
 * @throws PkiError invalid-pem, invalid-der, invalid-san, invalid-certificate
 */
export function parseCertificate(derOrPem: Uint8Array | string): ParsedCertificate {
  const raw = typeof derOrPem === 'string' ? decodeFirstPem(derOrPem, 'CERTIFICATE') : Buffer.from(derOrPem);
  if (raw.length > MAX_CERTIFICATE_BYTES) throw new PkiError('invalid-certificate', `certificate is over ${MAX_CERTIFICATE_BYTES} bytes`);
  const certificate = enterSingle(raw);
  const body = certificate.enter(Tag.sequence);
  const outerAlgorithm = readAlgorithm(certificate);
  decodeWholeBitString(certificate.read(Tag.bitString).content);
  certificate.end();
  return readBody(body, outerAlgorithm, raw);
}

function readBody(body: DerReader, outerAlgorithm: string, raw: Buffer): ParsedCertificate {
  readVersion(body);
  const serial = decodeUnsigned(body.read(Tag.integer).content);
  const signatureAlgorithm = readAlgorithm(body);
  if (signatureAlgorithm !== outerAlgorithm) throw malformed('two signature algorithms');
  const issuer = body.read(Tag.sequence).raw;
  const validity = body.enter(Tag.sequence);
  const notBeforeMs = decodeTime(validity.readAny());
  const notAfterMs = decodeTime(validity.readAny());
  validity.end();
  const subject = body.read(Tag.sequence).raw;
  const spki = body.read(Tag.sequence).raw;
  body.readOptional(contextTag(1));
  body.readOptional(contextTag(2));
  const wrapped = body.readOptional(contextConstructedTag(3));
  body.end();
  const extensions =
    wrapped === undefined ? NO_EXTENSIONS : parseExtensions(new DerReader(readSingle(wrapped.content, Tag.sequence).content));
  const { names, isCa, pathLength, keyUsage, extKeyUsage, subjectKeyId, authorityKeyId } = extensions;
  return {
    ...names,
    isCa,
    ...(pathLength === undefined ? {} : { pathLength }),
    keyUsage,
    extKeyUsage,
    serialHex: serial.toString('hex'),
    ...(subjectKeyId === undefined ? {} : { subjectKeyId }),
    ...(authorityKeyId === undefined ? {} : { authorityKeyId }),
    notBeforeMs,
    notAfterMs,
    subject,
    issuer,
    spki,
    signatureAlgorithm,
    extensions,
    raw,
  };
}

/** Only version 3 has extensions, and without a SAN there is no identity. */
function readVersion(body: DerReader): void {
  const wrapped = body.readOptional(contextConstructedTag(0));
  if (wrapped === undefined) throw new PkiError('invalid-certificate', 'certificate is not X.509 version 3');
  if (decodeSmallInteger(readSingle(wrapped.content, Tag.integer).content) !== 2) {
    throw new PkiError('invalid-certificate', 'certificate is not X.509 version 3');
  }
}
