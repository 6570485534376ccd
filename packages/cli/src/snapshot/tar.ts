import { Buffer } from 'node:buffer';

const BLOCK_BYTES = 512;
const REGULAR_FILE_TYPES = new Set(['0', '\0', '']);

/** One file of an archive; its chunks are to be read to their end before the next file. */
export interface TarFile {
  readonly name: string;
  readonly sizeBytes: number;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** Reads a tar archive as it streams by: ustar, GNU's large sizes, pax headers skipped. @throws Error in Go's words */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<TarFile> {
  const reader = new ByteReader(source);
  for (;;) {
    const header = await reader.take(BLOCK_BYTES);
    if (header === undefined || isZero(header)) return;
    checkSum(header);
    const sizeBytes = readNumber(header.subarray(124, 136));
    const paddingBytes = (BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES;
    const name = readText(header.subarray(0, 100));
    if (REGULAR_FILE_TYPES.has(String.fromCharCode(header[156] ?? 0))) yield { name, sizeBytes, chunks: reader.chunks(sizeBytes) };
    else for await (const _ of reader.chunks(sizeBytes));
    await reader.skip(paddingBytes);
  }
}

class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Exactly `length` bytes, or undefined at a clean end. */
  async take(length: number): Promise<Uint8Array | undefined> {
    const parts: Uint8Array[] = [];
    let missing = length;
    while (missing > 0) {
      const chunk = await this.#next(missing);
      if (chunk === undefined) {
        if (parts.length === 0) return undefined;
        throw new Error('unexpected EOF');
      }
      parts.push(chunk);
      missing -= chunk.length;
    }
    return Buffer.concat(parts, length);
  }

  async *chunks(length: number): AsyncGenerator<Uint8Array> {
    for (let missing = length; missing > 0; ) {
      const chunk = await this.#next(missing);
      if (chunk === undefined) throw new Error('unexpected EOF');
      missing -= chunk.length;
      yield chunk;
    }
  }

  async skip(length: number): Promise<void> {
    for await (const _ of this.chunks(length));
  }

  /** At least one byte, at most `limit`. */
  async #next(limit: number): Promise<Uint8Array | undefined> {
    while (this.#rest.length === 0) {
      const { value, done } = await this.#source.next();
      if (done) return undefined;
      this.#rest = value;
    }
    const chunk = this.#rest.subarray(0, limit);
    this.#rest = this.#rest.subarray(chunk.length);
    return chunk;
  }
}

function isZero(block: Uint8Array): boolean {
  return block.every((byte) => byte === 0);
}

/** The sum of the header's bytes with its own field as blanks. */
function checkSum(header: Uint8Array): void {
  let sum = 0;
  header.forEach((byte, index) => {
    sum += index >= 148 && index < 156 ? 0x20 : byte;
  });
  if (sum !== readNumber(header.subarray(148, 156))) throw new Error('archive/tar: invalid tar header');
}

/** Octal text, or GNU's base 256 with the top bit set. */
function readNumber(field: Uint8Array): number {
  const first = field[0] ?? 0;
  if ((first & 0x80) === 0) return Number.parseInt(readText(field).trim() || '0', 8);
  let value = first & 0x7f;
  for (const byte of field.subarray(1)) value = value * 256 + byte;
  if (!Number.isSafeInteger(value)) throw new Error('archive/tar: invalid tar header');
  return value;
}

function readText(field: Uint8Array): string {
  const end = field.indexOf(0);
  return Buffer.from(end < 0 ? field : field.subarray(0, end)).toString('latin1');
}
