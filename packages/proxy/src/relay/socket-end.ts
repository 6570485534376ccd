import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { REFUSAL, type Refusal } from '../tunnel/frame.ts';
import type { ByteEnd, EndHandler } from './end.ts';
import { Outbox } from './outbox.ts';
import { readShared } from './shared-read.ts';

const KEEP_ALIVE_MS = 30_000;
/**
 * A plain or TLS socket as one end of a relay. It must have been made with `allowHalfOpen` and be paused. Keep-alive finds
 * peers that closed without a trace while their half was still open.
 */
export class SocketEnd implements ByteEnd {
  readonly #socket: Socket;
  readonly #outbox: Outbox;
  #error: Error | undefined;
  #ended = false;
  #handler: EndHandler | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#outbox = new Outbox(socket, () => this.#handler?.onDrain());
    socket.setNoDelay(true);
    // Four system calls: only for sockets that fall silent.
    socket.setTimeout(KEEP_ALIVE_MS, () => socket.setKeepAlive(true, KEEP_ALIVE_MS));
    // From the first moment: an 'error' without a listener would end the process.
    socket.on('error', (error) => {
      this.#error ??= error;
    });
  }

  attach(handler: EndHandler): void {
    const socket = this.#socket;
    if (socket.destroyed) {
      process.nextTick(() => handler.onClosed(this.#error ?? new Error('connection closed')));
      return;
    }
    this.#handler = handler;
    readShared(socket, (chunk) => handler.onData(chunk));
    socket.on('end', () => {
      this.#ended = true;
      handler.onFinish();
    });
    socket.on('close', () => {
      const clean = this.#ended && socket.writableFinished;
      handler.onClosed(this.#error ?? (clean ? undefined : new Error('connection closed')));
    });
  }

  write(chunk: Buffer): boolean {
    return this.#outbox.write(chunk);
  }

  finish(): void {
    this.#outbox.end();
  }

  /** A reset, unless nothing has been written and the stream was merely refused: then a plain end without data, as Consul's. */
  abort(refusal: Refusal): void {
    const socket = this.#socket;
    if (socket.destroyed) return;
    // Node cannot reset below TLS; there the missing close_notify tells the peer that the stream was cut.
    if (socket instanceof TLSSocket || (refusal.code !== REFUSAL.reset && socket.bytesWritten === 0)) socket.destroy();
    else socket.resetAndDestroy();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }
}
