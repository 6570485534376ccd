import type { TLSSocket } from 'node:tls';
import { type ByteEnd, type EndHandler, StreamFailure } from '../relay/end.ts';
import type { Outbox } from '../relay/outbox.ts';
import { encodeFrame, encodeHeader, FRAME, FRAME_HEADER_BYTES, FrameError, MAX_DATA_BYTES, type Refusal } from './frame.ts';

export interface StreamOwner {
  /** Both ways have finished. */
  over(): void;
  /** This side breaks off. */
  reset(refusal: Refusal): void;
}

const FINISH = encodeFrame(FRAME.finish);
/** Scratch: the outbox copies it before it returns. */
const header = Buffer.alloc(FRAME_HEADER_BYTES);
/** What a caller may send before its stream is taken; the connection is not read beyond. */
const EARLY_BYTES = 64 * 1024;

/** The stream that a tunnel carries at the moment, as one end of a relay. */
export class TunnelStream implements ByteEnd {
  readonly #socket: TLSSocket;
  readonly #outbox: Outbox;
  readonly #owner: StreamOwner;
  #handler: EndHandler | undefined;
  /** Came before anyone was there to take it. */
  #early: Buffer[] = [];
  #earlyBytes = 0;
  #earlyDelivered = false;
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
    this.#handler?.onClosed(new StreamFailure(refusal));
  }

  pause(): void {
    if (!this.#closed) this.#socket.pause();
  }

  resume(): void {
    if (this.#closed) return;
    this.#deliverEarly();
    this.#socket.resume();
  }

  // What the connection tells.

  /** @throws FrameError */
  received(piece: Buffer): void {
    if (this.#receivedFinish) throw new FrameError('data after finish');
    if (this.#handler !== undefined && this.#earlyDelivered) {
      this.#handler.onData(piece);
      return;
    }
    this.#early.push(Buffer.from(piece));
    this.#earlyBytes += piece.length;
    if (this.#earlyBytes >= EARLY_BYTES) this.#socket.pause();
  }

  drained(): void {
    this.#handler?.onDrain();
  }

  /** @throws FrameError */
  peerFinished(): void {
    if (this.#receivedFinish) throw new FrameError('second finish');
    this.#receivedFinish = true;
    if (this.#handler === undefined || !this.#earlyDelivered) return;
    this.#handler.onFinish();
    this.#maybeOver();
  }

  peerReset(refusal: Refusal): void {
    this.#fail(new StreamFailure(refusal));
  }

  connectionClosed(error: Error): void {
    this.#fail(error);
  }

  /** In `resume`, for by then both ends of the relay are attached. */
  #deliverEarly(): void {
    const handler = this.#handler;
    if (handler === undefined || this.#earlyDelivered) return;
    this.#earlyDelivered = true;
    const early = this.#early;
    this.#early = [];
    for (const piece of early) handler.onData(piece);
    if (!this.#receivedFinish) return;
    handler.onFinish();
    this.#maybeOver();
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
