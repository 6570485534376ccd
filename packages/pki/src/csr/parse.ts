import { createPublicKey, type KeyObject } from 'node:crypto';
import { type Extensions, NO_EXTENSIONS, parseExtensions } from '../certificate/extensions.ts';
import {
  checkCanonical,
  contextConstructedTag,
  decodeOid,
  decodeSmallInteger,
  decodeWholeBitString,
  DerReader,
  enterSingle,
  Oid,
  Tag,
} from '../der/index.ts';
import { PkiError } from '../errors.ts';
import { keyInfo, type KeyInfo, readAlgorithm } from '../keys/index.ts';
import { decodeFirstPem } from '../pem/index.ts';
import { CSR_LABEL } from './create.ts';

/** A request for an RSA 4096 key with a 2 KiB id is under 4 KiB. */
export const MAX_CSR_BYTES = 16 * 1024;

/** A well-formed certificate request. Nothing in it is to be believed before `verifyCsr`. */
export interface CertificateRequest extends KeyInfo {
  readonly publicKey: KeyObject;
  readonly spki: Buffer;
  readonly extensions: Extensions;
  readonly signatureAlgorithm: string;
  /** The bytes that the signature covers. */
  readonly signedBytes: Buffer;
  readonly signature: Buffer;
  readonly raw: Buffer;
}

/** Accepts base64 overhead, and nothing that could hold a larger request. */
const MAX_CSR_PEM_BYTES = MAX_CSR_BYTES * 1.5;

/**
 * Reads a PEM request whose DER is canonical. Size is checked before anything is decoded.
 * @throws PkiError invalid-csr, and only that
 */
export function parseCsr(pem: string): CertificateRequest {
  if (pem.length > MAX_CSR_PEM_BYTES) throw new PkiError('invalid-csr', `certificate request is over ${MAX_CSR_BYTES} bytes`);
  try {
    const raw = decodeFirstPem(pem, CSR_LABEL);
    checkCanonical(raw);
    return readRequest(raw);
  } catch (error) {
    if (error instanceof PkiError) throw new PkiError('invalid-csr', error.message, { cause: error });
    throw error;
  }
}

function readRequest(raw: Buffer): CertificateRequest {
  const request = enterSingle(raw);
  const info = request.read(Tag.sequence);
  const signatureAlgorithm = readAlgorithm(request);
  const signature = decodeWholeBitString(request.read(Tag.bitString).content);
  request.end();

  const body = new DerReader(info.content);
  if (decodeSmallInteger(body.read(Tag.integer).content) !== 0) throw new PkiError('invalid-csr', 'unknown version of certificate request');
  body.read(Tag.sequence);
  const spki = body.read(Tag.sequence).raw;
  const attributes = body.readOptional(contextConstructedTag(0));
  body.end();
  const publicKey = readPublicKey(spki);
  return {
    ...keyInfo(publicKey),
    publicKey,
    spki,
    extensions: attributes === undefined ? NO_EXTENSIONS : readAttributes(new DerReader(attributes.content)),
    signatureAlgorithm,
    signedBytes: info.raw,
    signature,
    raw,
  };
}

function readPublicKey(spki: Buffer): KeyObject {
  try {
    return createPublicKey({ key: spki, format: 'der', type: 'spki' });
  } catch {
    throw new PkiError('invalid-csr', 'public key cannot be read');
  }
}

/** Only an extension request: what else a request may carry (a challenge password, say) is not asked for (CVE-2022-40716). */
function readAttributes(reader: DerReader): Extensions {
  let extensions: Extensions | undefined;
  while (!reader.isAtEnd) {
    const attribute = reader.enter(Tag.sequence);
    const oid = decodeOid(attribute.read(Tag.oid).content);
    const values = attribute.enter(Tag.set);
    attribute.end();
    if (oid !== Oid.extensionRequest) throw new PkiError('invalid-csr', `certificate request has an attribute that is not allowed: ${oid}`);
    if (extensions !== undefined) throw new PkiError('invalid-csr', 'certificate request has two extension requests');
    extensions = parseExtensions(values.enter(Tag.sequence));
    values.end();
  }
  return extensions ?? NO_EXTENSIONS;
}
