import type { Socket } from 'node:net';

/** Whether what comes from one side may be passed on now. */
type IsOpen = () => boolean;

/**
 * One connection, passed on byte by byte between two sockets. While a direction is cut, what comes from that side waits where it is: the
 * sender's connection fills up, no error tells it, and its end is not passed on either. Afterwards all of it arrives, as TCP sends again.
 */
export class RelayedConnection {
  readonly closed: Promise<unknown>;
  readonly #sockets: readonly [Socket, Socket];
  readonly #flows: readonly [Flow, Flow];

  constructor(caller: Socket, callee: Socket, isOpen: { readonly there: IsOpen; readonly back: IsOpen }) {
    this.#sockets = [caller, callee];
    this.#flows = [new Flow(caller, callee, isOpen.there), new Flow(callee, caller, isOpen.back)];
    this.closed = Promise.all(this.#sockets.map((socket) => new Promise((closed) => socket.once('close', closed))));
    this.settle();
  }

  /** What is cut has changed. */
  settle(): void {
    for (const flow of this.#flows) flow.settle();
  }

  /** Both sides are told, by a reset. */
  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }
}

/** One direction. */
class Flow {
  readonly #source: Socket;
  readonly #target: Socket;
  readonly #isOpen: IsOpen;

  constructor(source: Socket, target: Socket, isOpen: IsOpen) {
    this.#source = source;
    this.#target = target;
    this.#isOpen = isOpen;
    source.on('data', (chunk) => {
      target.write(chunk);
      this.settle();
    });
    source.on('end', () => this.settle());
    // Followed by a close.
    source.on('error', () => undefined);
    source.on('close', () => this.settle());
    target.on('drain', () => this.settle());
  }

  settle(): void {
    const isOpen = this.#isOpen();
    if (isOpen && this.#source.destroyed) this.#target.destroySoon();
    else if (isOpen && this.#source.readableEnded) this.#target.end();
    else if (isOpen && !this.#target.writableNeedDrain) this.#source.resume();
    else this.#source.pause();
  }
}
