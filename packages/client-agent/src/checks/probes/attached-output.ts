/** One byte for the stream, three of nothing, four for the length (Docker Engine API, "Attach to a container": stream format). */
const HEADER_BYTES = 8;
const LENGTH_OFFSET = 4;

/** Takes apart what a process without a terminal writes to an attached connection: its standard output and error, in turns. */
export class AttachedOutput {
  readonly #write: (chunk: Uint8Array) => void;
  #header = Buffer.alloc(0);
  /** Of the frame that is being read. */
  #restBytes = 0;

  constructor(write: (chunk: Uint8Array) => void) {
    this.#write = write;
  }

  push(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#restBytes > 0) {
        const content = rest.subarray(0, this.#restBytes);
        this.#write(content);
        this.#restBytes -= content.length;
        rest = rest.subarray(content.length);
        continue;
      }
      const taken = rest.subarray(0, HEADER_BYTES - this.#header.length);
      this.#header = Buffer.concat([this.#header, taken]);
      rest = rest.subarray(taken.length);
      if (this.#header.length < HEADER_BYTES) return;
      this.#restBytes = this.#header.readUInt32BE(LENGTH_OFFSET);
      this.#header = Buffer.alloc(0);
    }
  }
}
