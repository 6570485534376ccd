import type { TLSSocket } from 'node:tls';
import type { ByteEnd, EndHandler } from '../relay/end.ts';
import { encodeFrame, encodeHeader, FRAME, FRAME_HEADER_BYTES, MAX_DATA_BYTES, type Refusal } from './frame.ts';

export interface StreamOwner {
  /** Both ways have finished. */
  over(): void;
  /** This side breaks off. */
  reset(refusal: Refusal): void;
}

/** Up to here header and payload are copied into one buffer: a single write and TLS record beats two (toolchain.md: 15 %). */
const COPY_BYTES = 16 * 1024;

/** The stream that a tunnel carries at the moment, as one end of a relay. */
export class TunnelStream implements ByteEnd {
  readonly #socket: TLSSocket;
  readonly #owner: StreamOwner;
  #handler: EndHandler | undefined;
  #sentFinish = false;
  #receivedFinish = false;
  #closed = false;

  constructor(socket: TLSSocket, owner: StreamOwner) {
    this.#socket = socket;
    this.#owner = owner;
  }

  attach(handler: EndHandler): void {
    this.#handler = handler;
    if (this.#closed) process.nextTick(() => handler.onClosed(new Error('tunnel closed by peer')));
  }

  write(chunk: Buffer): boolean {
    if (this.#closed) return true;
    if (chunk.length <= COPY_BYTES) return this.#writeCopied(chunk);
    return this.#writeCorked(chunk);
  }

  finish(): void {
    if (this.#closed || this.#sentFinish) return;
    this.#sentFinish = true;
    this.#socket.write(encodeFrame(FRAME.finish));
    this.#maybeOver();
  }

  abort(refusal: Refusal): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#owner.reset(refusal);
    this.#handler?.onClosed(new Error(refusal.reason));
  }

  pause(): void {
    if (!this.#closed) this.#socket.pause();
  }

  resume(): void {
    if (!this.#closed) this.#socket.resume();
  }

  // What the connection tells.

  received(piece: Buffer): void {
    this.#handler?.onData(piece);
  }

  drained(): void {
    this.#handler?.onDrain();
  }

  peerFinished(): void {
    if (this.#receivedFinish) return;
    this.#receivedFinish = true;
    this.#handler?.onFinish();
    this.#maybeOver();
  }

  peerReset(refusal: Refusal): void {
    this.#fail(new Error(refusal.reason));
  }

  connectionClosed(error: Error): void {
    this.#fail(error);
  }

  #fail(error: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#handler?.onClosed(error);
  }

  #maybeOver(): void {
    if (this.#closed || !this.#sentFinish || !this.#receivedFinish) return;
    this.#closed = true;
    this.#owner.over();
    this.#handler?.onClosed();
  }

  #writeCopied(chunk: Buffer): boolean {
    const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + chunk.length);
    encodeHeader(frame, FRAME.data, chunk.length);
    frame.set(chunk, FRAME_HEADER_BYTES);
    return this.#socket.write(frame);
  }

  #writeCorked(chunk: Buffer): boolean {
    if (chunk.length > MAX_DATA_BYTES) {
      this.write(chunk.subarray(0, MAX_DATA_BYTES));
      return this.write(chunk.subarray(MAX_DATA_BYTES));
    }
    const header = Buffer.allocUnsafe(FRAME_HEADER_BYTES);
    encodeHeader(header, FRAME.data, chunk.length);
    this.#socket.cork();
    this.#socket.write(header);
    const flowing = this.#socket.write(chunk);
    this.#socket.uncork();
    return flowing;
  }
}
