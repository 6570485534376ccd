import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { TcpEnd } from './connection-owner.ts';

/**
 * Passes on the datagrams of one port of every server. A server sends from the port that it listens on, so that says who it is; what it sent
 * goes on from the relay in front of it, and the receiver sees the address that the sender says of itself.
 */
export class DatagramRelay {
  readonly #ends: readonly TcpEnd[];
  readonly #bindHost: string;
  readonly #isCut: (from: number, to: number) => boolean;
  readonly #sockets: readonly Socket[];

  private constructor(ends: readonly TcpEnd[], bindHost: string, isCut: (from: number, to: number) => boolean) {
    this.#ends = ends;
    this.#bindHost = bindHost;
    this.#isCut = isCut;
    this.#sockets = ends.map((_, to) => {
      const socket = createSocket('udp4', (bytes, { port }) => this.#passOn(bytes, port, to));
      // Nobody listens there now: the datagram is lost.
      return socket.on('error', () => undefined);
    });
  }

  /** `ends`: the relays in front of the servers, which have the same ports on `bindHost`. */
  static async open(ends: readonly TcpEnd[], bindHost: string, isCut: (from: number, to: number) => boolean): Promise<DatagramRelay> {
    const relay = new DatagramRelay(ends, bindHost, isCut);
    for (const [server, { host, port }] of ends.entries()) {
      const socket = relay.#sockets[server];
      socket?.bind(port, host);
      if (socket !== undefined) await once(socket, 'listening');
    }
    return relay;
  }

  close(): void {
    for (const socket of this.#sockets) socket.close();
  }

  #passOn(bytes: Buffer, fromPort: number, to: number): void {
    const from = this.#ends.findIndex(({ port }) => port === fromPort);
    const target = this.#ends[to];
    if (target === undefined || this.#isCut(from, to)) return;
    this.#sockets[from]?.send(bytes, target.port, this.#bindHost);
  }
}
