const INITIAL_BYTES = 256;
const encoder = new TextEncoder();

/** Writes the part of MessagePack that this protocol uses (github.com/msgpack/msgpack, spec.md): the shortest form of each value. */
export class Writer {
  #bytes = new Uint8Array(INITIAL_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  list(count: number): this {
    if (count < 16) return this.#u8(0x90 | count);
    return count < 0x10000 ? this.#u8(0xdc).#u16(count) : this.#u8(0xdd).#u32(count);
  }

  map(count: number): this {
    return count < 16 ? this.#u8(0x80 | count) : this.#u8(0xde).#u16(count);
  }

  count(value: number): this {
    if (value < 0x80) return this.#u8(value);
    if (value < 0x100) return this.#u8(0xcc).#u8(value);
    if (value < 0x10000) return this.#u8(0xcd).#u16(value);
    if (value < 2 ** 32) return this.#u8(0xce).#u32(value);
    return this.#u8(0xcf)
      .#u32(Math.floor(value / 2 ** 32))
      .#u32(value >>> 0);
  }

  float(value: number): this {
    this.#u8(0xcb).#reserve(8);
    this.#view.setFloat64(this.#length, value);
    this.#length += 8;
    return this;
  }

  flag(value: boolean): this {
    return this.#u8(value ? 0xc3 : 0xc2);
  }

  text(value: string): this {
    if (value.length < 0x100 && this.#plainText(value)) return this;
    const bytes = encoder.encode(value);
    return this.#textHead(bytes.length).#raw(bytes);
  }

  bytes(value: Uint8Array): this {
    if (value.length < 0x100) this.#u8(0xc4).#u8(value.length);
    else if (value.length < 0x10000) this.#u8(0xc5).#u16(value.length);
    else this.#u8(0xc6).#u32(value.length);
    return this.#raw(value);
  }

  /** ASCII, as nearly all texts are, needs no encoder. @returns whether it was; if not, nothing is written */
  #plainText(value: string): boolean {
    const { length } = value;
    this.#reserve(length + 3);
    const before = this.#length;
    this.#textHead(length);
    for (let place = 0; place < length; place++) {
      const code = value.charCodeAt(place);
      if (code > 0x7f) {
        this.#length = before;
        return false;
      }
      this.#bytes[this.#length++] = code;
    }
    return true;
  }

  #textHead(length: number): this {
    if (length < 32) return this.#u8(0xa0 | length);
    return length < 0x100 ? this.#u8(0xd9).#u8(length) : this.#u8(0xda).#u16(length);
  }

  #raw(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  #u8(value: number): this {
    this.#reserve(1);
    this.#view.setUint8(this.#length, value);
    this.#length += 1;
    return this;
  }

  #u16(value: number): this {
    this.#reserve(2);
    this.#view.setUint16(this.#length, value);
    this.#length += 2;
    return this;
  }

  #u32(value: number): this {
    this.#reserve(4);
    this.#view.setUint32(this.#length, value);
    this.#length += 4;
    return this;
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}
