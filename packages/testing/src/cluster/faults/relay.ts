import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { type Clock, sleep } from '@lictor/protocol';
import type { Link } from './links.ts';

/** Whoever sends more into a link that holds it back has to wait. */
const MAX_HELD_BYTES = 1024 * 1024;

/** The two directions of a connection. */
export interface RelayLinks {
  /** From who connects to who is connected to. */
  readonly forth: Link;
  readonly back: Link;
}

/**
 * Stands between one agent and a port of another, on loopback. A cut link leaves connections half open, as a network does: what is sent
 * is held and arrives after the cut, the news that an end has gone included. Unlike over a network, a new connection through a cut link
 * is accepted, and then silent.
 */
export class Relay {
  readonly port: number;
  readonly #target: number;
  readonly #links: RelayLinks;
  readonly #clock: Clock;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  readonly #unsubscribe: readonly (() => void)[];

  /** @param port Its own, on 127.0.0.1. @param target The port that it stands before. */
  constructor(port: number, target: number, links: RelayLinks, clock: Clock) {
    this.port = port;
    this.#target = target;
    this.#links = links;
    this.#clock = clock;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
    this.#unsubscribe = [links.forth, links.back].map((link) => link.onChange(() => this.#resetIfRefusing()));
  }

  async start(): Promise<void> {
    this.#server.listen(this.port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  async stop(): Promise<void> {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(near: Socket): void {
    this.#keep(near);
    if (this.#links.forth.faults.isRefusing) {
      near.resetAndDestroy();
      return;
    }
    const far = connect({ port: this.#target, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    this.#keep(far);
    this.#pump(near, far, this.#links.forth);
    this.#pump(far, near, this.#links.back);
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    // The other end learns of it by the pump.
    socket.on('error', () => undefined);
  }

  /** In order, the end included. */
  #pump(source: Socket, target: Socket, link: Link): void {
    let heldBytes = 0;
    let last = Promise.resolve();
    const follow = (bytes: number, deliver: () => void): void => {
      const { delayMs, isCut } = link.faults;
      heldBytes += bytes;
      const delayed = delayMs > 0 ? sleep(this.#clock, delayMs) : undefined;
      if (isCut || heldBytes > MAX_HELD_BYTES) source.pause();
      last = last.then(async () => {
        await delayed;
        await link.passable();
        heldBytes -= bytes;
        deliver();
        await taken(target);
        source.resume();
      });
    };
    source.on('data', (chunk: Buffer) => follow(chunk.length, () => void (target.writable && target.write(chunk))));
    source.on('end', () => follow(0, () => void (target.writable && target.end())));
    source.on('close', (hadError) => follow(0, () => (hadError ? target.resetAndDestroy() : target.destroySoon())));
  }

  #resetIfRefusing(): void {
    if (!this.#links.forth.faults.isRefusing) return;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }
}

/** Resolves when what was written has gone, or when the socket has. */
function taken(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (!socket.writableNeedDrain || socket.destroyed) return resolve();
    socket.once('drain', resolve).once('close', () => resolve());
  });
}
