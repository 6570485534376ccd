import { PkiError } from '../errors.ts';
import { Tag } from './tags.ts';

/** One tag-length-value. `content` and `raw` are views on the input. */
export interface DerElement {
  readonly tag: number;
  readonly content: Buffer;
  readonly raw: Buffer;
}

/** Four length octets hold anything we accept. */
const MAX_LENGTH_OCTETS = 4;
const MULTI_BYTE_TAG = 0x1f;
const LONG_FORM = 0x80;

/**
 * Reads DER one element at a time, strictly: definite minimal lengths, one-byte tags, nothing past the end. Certificates and
 * requests come from peers, and what two parsers read differently is a way in (CVE-2025-12816), so anything that is not the one
 * canonical encoding is refused.
 *
 * The reader never recurses by itself: depth is bounded by the code that uses it.
 */
export class DerReader {
  readonly #bytes: Buffer;
  #offset = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#offset >= this.#bytes.length;
  }

  /** The tag of the next element, 0 at the end. */
  get nextTag(): number {
    return this.#bytes[this.#offset] ?? 0;
  }

  /** @throws PkiError invalid-der */
  readAny(): DerElement {
    const bytes = this.#bytes;
    const start = this.#offset;
    const tag = bytes[start];
    const first = bytes[start + 1];
    if (tag === undefined || first === undefined) throw malformed('ends inside an element');
    if ((tag & MULTI_BYTE_TAG) === MULTI_BYTE_TAG) throw malformed('multi-byte tag');
    let contentStart = start + 2;
    let length = first;
    if (first >= LONG_FORM) {
      const octets = first - LONG_FORM;
      if (octets === 0) throw malformed('indefinite length');
      if (octets > MAX_LENGTH_OCTETS || contentStart + octets > bytes.length) throw malformed('length too long');
      length = bytes.readUIntBE(contentStart, octets);
      if (length < LONG_FORM || (octets > 1 && bytes[contentStart] === 0)) throw malformed('length not minimal');
      contentStart += octets;
    }
    const end = contentStart + length;
    if (end > bytes.length) throw malformed('element runs past its end');
    this.#offset = end;
    return { tag, content: bytes.subarray(contentStart, end), raw: bytes.subarray(start, end) };
  }

  /** The next element, which must carry `tag`. @throws PkiError invalid-der */
  read(tag: number): DerElement {
    if (this.isAtEnd || this.nextTag !== tag) throw malformed(`expected tag 0x${tag.toString(16)}`);
    return this.readAny();
  }

  /** The next element when it carries `tag`. @throws PkiError invalid-der */
  readOptional(tag: number): DerElement | undefined {
    return !this.isAtEnd && this.nextTag === tag ? this.readAny() : undefined;
  }

  /** A reader over the next element's content. @throws PkiError invalid-der */
  enter(tag: number): DerReader {
    return new DerReader(this.read(tag).content);
  }

  /** @throws PkiError invalid-der when something is left */
  end(): void {
    if (!this.isAtEnd) throw malformed('trailing bytes');
  }
}

/** The only element of `bytes`. @throws PkiError invalid-der, for trailing bytes too */
export function readSingle(bytes: Buffer, tag: number): DerElement {
  const reader = new DerReader(bytes);
  const element = reader.read(tag);
  reader.end();
  return element;
}

export function enterSingle(bytes: Buffer, tag: number = Tag.sequence): DerReader {
  return new DerReader(readSingle(bytes, tag).content);
}

export function malformed(what: string): PkiError {
  return new PkiError('invalid-der', `malformed DER: ${what}`);
}
