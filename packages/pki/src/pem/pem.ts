import { PkiError } from '../errors.ts';

export interface PemBlock {
  /** The word between the dashes: `CERTIFICATE`, `EC PRIVATE KEY`. */
  readonly label: string;
  readonly der: Buffer;
}

const BEGIN = '-----BEGIN ';
const END = '-----END ';
const DASHES = '-----';
const LINE_LENGTH = 64;
const LABEL = /^[A-Z0-9][A-Z0-9 ]{0,62}$/;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** A bundle holds a handful of certificates; more is an attack or a mistake. */
export const MAX_PEM_BLOCKS = 64;
export const MAX_PEM_BYTES = 512 * 1024;

/** RFC 7468 text with a newline at its end. */
export function encodePem(label: string, der: Uint8Array): string {
  const base64 = Buffer.from(der).toString('base64');
  const lines: string[] = [];
  for (let start = 0; start < base64.length; start += LINE_LENGTH) lines.push(base64.slice(start, start + LINE_LENGTH));
  return `${BEGIN}${label}${DASHES}\n${lines.join('\n')}\n${END}${label}${DASHES}\n`;
}

/**
 * Every block of `text`; what stands between blocks is ignored, as RFC 7468 allows.
 * @throws PkiError invalid-pem
 */
export function decodePem(text: string): PemBlock[] {
  if (text.length > MAX_PEM_BYTES) throw new PkiError('invalid-pem', `PEM data is over ${MAX_PEM_BYTES} bytes`);
  const blocks: PemBlock[] = [];
  for (let position = text.indexOf(BEGIN); position >= 0; position = text.indexOf(BEGIN, position)) {
    if (blocks.length === MAX_PEM_BLOCKS) throw new PkiError('invalid-pem', `more than ${MAX_PEM_BLOCKS} PEM blocks`);
    const labelEnd = text.indexOf(DASHES, position + BEGIN.length);
    const label = labelEnd < 0 ? '' : text.slice(position + BEGIN.length, labelEnd);
    if (!LABEL.test(label)) throw new PkiError('invalid-pem', 'malformed PEM label');
    const footer = `${END}${label}${DASHES}`;
    const bodyEnd = text.indexOf(footer, labelEnd);
    if (bodyEnd < 0) throw new PkiError('invalid-pem', `PEM block ${label} has no end`);
    blocks.push({ label, der: decodeBody(text.slice(labelEnd + DASHES.length, bodyEnd)) });
    position = bodyEnd + footer.length;
  }
  return blocks;
}

/**
 * The first block, which must carry `label`.
 * @throws PkiError invalid-pem, in Consul's words
 */
export function decodeFirstPem(text: string, label: string): Buffer {
  const [first] = decodePem(text);
  if (first === undefined) throw new PkiError('invalid-pem', 'no PEM-encoded data found');
  if (first.label !== label) throw new PkiError('invalid-pem', `first PEM-block should be ${label} type`);
  return first.der;
}

/**
 * The DER of each certificate of a chain or bundle, in order.
 * @throws PkiError invalid-pem when there is none or something else lies between
 */
export function splitPemBundle(text: string): Buffer[] {
  const blocks = decodePem(text);
  if (blocks.length === 0) throw new PkiError('invalid-pem', 'no PEM-encoded data found');
  return blocks.map((block) => {
    if (block.label !== 'CERTIFICATE') throw new PkiError('invalid-pem', 'PEM-block should be CERTIFICATE type');
    return block.der;
  });
}

function decodeBody(body: string): Buffer {
  const base64 = body.replaceAll(/\s+/g, '');
  if (base64 === '' || base64.length % 4 !== 0 || !BASE64.test(base64)) throw new PkiError('invalid-pem', 'malformed base64 in PEM block');
  return Buffer.from(base64, 'base64');
}
