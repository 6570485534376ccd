import type { Refusal } from '../tunnel/frame.ts';

/** One end of a relay: an application's socket, a TLS connection, or a stream in a tunnel. */
export interface ByteEnd {
  /** Where the bytes and events that come out of this end go; set once, in the turn of the event loop that made the end. */
  attach(handler: EndHandler): void;
  /** Copies the bytes; false asks the writer to wait for `onDrain`. */
  write(chunk: Buffer): boolean;
  /** Half-close: nothing more will be written. */
  finish(): void;
  /** Breaks off at once, both ways; the peer sees a reset and, over a tunnel, code and reason. Idempotent. */
  abort(refusal: Refusal): void;
  pause(): void;
  resume(): void;
}

export interface EndHandler {
  /** The bytes are there only until it returns. */
  onData(chunk: Buffer): void;
  /** The other side has half-closed. */
  onFinish(): void;
  onDrain(): void;
  /** Last event, exactly once: without an error when both ways had finished. */
  onClosed(error?: Error): void;
}

/** Why a stream broke off, where more is known than an error of the socket. */
export class StreamFailure extends Error {
  override readonly name = 'StreamFailure';
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.reason);
    this.refusal = refusal;
  }
}
