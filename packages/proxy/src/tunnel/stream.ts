import type { TLSSocket } from 'node:tls';
import type { ByteEnd, EndHandler } from '../relay/end.ts';
import type { Outbox } from '../relay/outbox.ts';
import { encodeFrame, encodeHeader, FRAME, FRAME_HEADER_BYTES, MAX_DATA_BYTES, type Refusal } from './frame.ts';

export interface StreamOwner {
  /** Both ways have finished. */
  over(): void;
  /** This side breaks off. */
  reset(refusal: Refusal): void;
}

const FINISH = encodeFrame(FRAME.finish);
/** Scratch: the outbox copies it before it returns. */
const header = Buffer.alloc(FRAME_HEADER_BYTES);

/** The stream that a tunnel carries at the moment, as one end of a relay. */
export class TunnelStream implements ByteEnd {
  readonly #socket: TLSSocket;
  readonly #outbox: Outbox;
  readonly #owner: StreamOwner;
  #handler: EndHandler | undefined;
  #sentFinish = false;
  #receivedFinish = false;
  #closed = false;

  constructor(socket: TLSSocket, outbox: Outbox, owner: StreamOwner) {
    this.#socket = socket;
    this.#outbox = outbox;
    this.#owner = owner;
  }

  attach(handler: EndHandler): void {
    this.#handler = handler;
    if (this.#closed) process.nextTick(() => handler.onClosed(new Error('tunnel closed by peer')));
  }

  write(chunk: Buffer): boolean {
    if (this.#closed) return true;
    if (chunk.length > MAX_DATA_BYTES) {
      this.write(chunk.subarray(0, MAX_DATA_BYTES));
      return this.write(chunk.subarray(MAX_DATA_BYTES));
    }
    encodeHeader(header, FRAME.data, chunk.length);
    return this.#outbox.write(chunk, header);
  }

  finish(): void {
    if (this.#closed || this.#sentFinish) return;
    this.#sentFinish = true;
    this.#outbox.write(FINISH);
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
}
