import { GossipError } from '../errors.ts';

const HEAD_BYTES = 4;

/** One frame on a stream: its length, and its bytes. */
export function frame(bytes: Uint8Array): Buffer {
  const framed = Buffer.alloc(HEAD_BYTES + bytes.length);
  framed.writeUInt32BE(bytes.length);
  framed.set(bytes, HEAD_BYTES);
  return framed;
}

/** Puts one frame together. Memory grows with what has come, not with what was announced. */
export class FrameCollector {
  readonly #maxBytes: number;
  readonly #chunks: Buffer[] = [];
  #length = 0;
  #announced: number | undefined;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes that are held. */
  get length(): number {
    return this.#length;
  }

  /**
   * @returns the frame, once it is whole
   * @throws GossipError `too-large`, `malformed`
   */
  add(chunk: Buffer): Buffer | undefined {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    if (this.#length < HEAD_BYTES) return undefined;
    this.#announced ??= this.#all().readUInt32BE();
    if (this.#announced > this.#maxBytes) throw new GossipError('too-large', `stream announces ${this.#announced} bytes`);
    const end = HEAD_BYTES + this.#announced;
    if (this.#length > end) throw new GossipError('malformed', 'stream goes on after its frame');
    return this.#length === end ? this.#all().subarray(HEAD_BYTES) : undefined;
  }

  #all(): Buffer {
    const all = Buffer.concat(this.#chunks);
    this.#chunks.splice(0, Infinity, all);
    return all;
  }
}
