import { malformed } from '../errors.ts';

const decoder = new TextDecoder('utf-8', { fatal: true });
const CONTROL = /\p{Cc}/u;

/**
 * Reads the part of MessagePack that this protocol uses, value by value. What is asked for has to stand there, within the limit that is given;
 * nothing is allocated on the word of a header alone.
 */
export class Reader {
  readonly #bytes: Buffer;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** A list's or a map's items take a byte each at least: no count is larger than what is left. */
  list(max: number): number {
    const head = this.#u8();
    if (head >= 0x90 && head <= 0x9f) return this.#bounded(head & 0x0f, max);
    if (head === 0xdc) return this.#bounded(this.#u16(), max);
    if (head === 0xdd) return this.#bounded(this.#u32(), max);
    throw malformed('no list');
  }

  map(max: number): number {
    const head = this.#u8();
    if (head >= 0x80 && head <= 0x8f) return this.#bounded(head & 0x0f, max);
    if (head === 0xde) return this.#bounded(this.#u16(), max);
    throw malformed('no map');
  }

  count(max = Number.MAX_SAFE_INTEGER): number {
    const value = this.#unsigned(this.#u8());
    if (value > max) throw malformed('count too large');
    return value;
  }

  /** Finite. */
  float(): number {
    if (this.#u8() !== 0xcb) throw malformed('no float');
    const at = this.#skip(8);
    const value = this.#view.getFloat64(at);
    if (!Number.isFinite(value)) throw malformed('no finite number');
    return value;
  }

  flag(): boolean {
    const head = this.#u8();
    if (head !== 0xc2 && head !== 0xc3) throw malformed('no flag');
    return head === 0xc3;
  }

  /** Without control characters: it goes into logs. */
  text(maxBytes: number): string {
    const head = this.#u8();
    let length: number;
    if (head >= 0xa0 && head <= 0xbf) length = head & 0x1f;
    else if (head === 0xd9) length = this.#u8();
    else if (head === 0xda) length = this.#u16();
    else throw malformed('no text');
    if (length > maxBytes) throw malformed('text too long');
    const at = this.#skip(length);
    if (this.#isPlain(at, length)) return this.#bytes.toString('latin1', at, at + length);
    const text = this.#decode(this.#bytes.subarray(at, at + length));
    if (CONTROL.test(text)) throw malformed('control character');
    return text;
  }

  bytes(maxBytes: number): Uint8Array {
    const head = this.#u8();
    let length: number;
    if (head === 0xc4) length = this.#u8();
    else if (head === 0xc5) length = this.#u16();
    else if (head === 0xc6) length = this.#u32();
    else throw malformed('no bytes');
    if (length > maxBytes) throw malformed('too many bytes');
    const at = this.#skip(length);
    return Uint8Array.from(this.#bytes.subarray(at, at + length));
  }

  #unsigned(head: number): number {
    if (head < 0x80) return head;
    if (head === 0xcc) return this.#u8();
    if (head === 0xcd) return this.#u16();
    if (head === 0xce) return this.#u32();
    if (head !== 0xcf) throw malformed('no count');
    const high = this.#u32();
    if (high >= 2 ** 21) throw malformed('count too large');
    return high * 2 ** 32 + this.#u32();
  }

  /** Printable ASCII, as nearly all texts are: a table has thousands of them. */
  #isPlain(at: number, length: number): boolean {
    for (let place = at; place < at + length; place++) {
      const byte = this.#bytes[place] ?? 0;
      if (byte < 0x20 || byte > 0x7e) return false;
    }
    return true;
  }

  #decode(bytes: Uint8Array): string {
    try {
      return decoder.decode(bytes);
    } catch {
      throw malformed('no UTF-8');
    }
  }

  #bounded(count: number, max: number): number {
    if (count > max || count > this.#bytes.length - this.#at) throw malformed('too many items');
    return count;
  }

  #u8(): number {
    return this.#view.getUint8(this.#skip(1));
  }

  #u16(): number {
    return this.#view.getUint16(this.#skip(2));
  }

  #u32(): number {
    return this.#view.getUint32(this.#skip(4));
  }

  #skip(length: number): number {
    const at = this.#at;
    if (at + length > this.#bytes.length) throw malformed('ends too early');
    this.#at = at + length;
    return at;
  }
}
