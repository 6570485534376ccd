import type { Server, Socket } from 'node:net';

const BODY = 'Your IP is issuing too many concurrent connections, please rate limit your calls\n';
const REFUSAL =
  'HTTP/1.1 429 Too Many Requests\r\nContent-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n' +
  `Content-Length: ${BODY.length}\r\nConnection: close\r\n\r\n${BODY}`;

/**
 * Limits connections per client address before anything is read from them (CVE-2020-7219, consul-facts T031). Unix sockets have no
 * address and no limit. `limit` is asked each time: it changes at reload; 0 is no limit.
 */
export class ConnectionCap {
  readonly #counts = new Map<string, number>();
  readonly #limit: () => number;

  constructor(limit: () => number) {
    this.#limit = limit;
  }

  /** Watches `event`: `connection`, which also comes before a TLS handshake. */
  watch(server: Server): void {
    server.on('connection', (socket: Socket) => this.#admit(socket));
  }

  #admit(socket: Socket): void {
    const address = socket.remoteAddress;
    const limit = this.#limit();
    if (address === undefined) return;
    const count = (this.#counts.get(address) ?? 0) + 1;
    this.#counts.set(address, count);
    socket.once('close', () => this.#release(address));
    if (limit <= 0 || count <= limit) return;
    socket.on('error', () => socket.destroy());
    socket.end(REFUSAL, () => socket.destroy());
  }

  #release(address: string): void {
    const count = (this.#counts.get(address) ?? 1) - 1;
    if (count > 0) this.#counts.set(address, count);
    else this.#counts.delete(address);
  }
}
