import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, isIPv6, type Server, type Socket } from 'node:net';
import type { Clock, Logger } from '@lictor/protocol';
import type { DnsHandler } from './handler.ts';

export interface DnsServerDeps {
  readonly handler: DnsHandler;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Questions being answered at a time; more are dropped, as a full socket buffer would. */
const MAX_PENDING = 4096;
const MAX_TCP_CONNECTIONS = 512;
/** A TCP client that neither asks nor reads is let go. */
const TCP_IDLE_MS = 8000;

/** UDP and TCP on one address and port. */
export class DnsServer {
  readonly #deps: DnsServerDeps;
  readonly #listen: { readonly host: string; readonly port: number };
  readonly #connections = new Set<Socket>();
  #udp: UdpSocket | undefined;
  #tcp: Server | undefined;
  #pending = 0;

  constructor(listen: { readonly host: string; readonly port: number }, deps: DnsServerDeps) {
    this.#listen = listen;
    this.#deps = deps;
  }

  /** With port 0 the kernel chooses one for TCP, and UDP takes the same. */
  get port(): number {
    const address = this.#tcp?.address();
    return typeof address === 'object' && address !== null ? address.port : this.#listen.port;
  }

  /** @throws the error of listen(2) or bind(2) */
  async start(): Promise<void> {
    this.#tcp = await this.#startTcp();
    try {
      this.#udp = await this.#startUdp(this.port);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    for (const connection of this.#connections) connection.destroy();
    const { udp, tcp } = { udp: this.#udp, tcp: this.#tcp };
    this.#udp = undefined;
    this.#tcp = undefined;
    await Promise.all([
      udp === undefined ? undefined : new Promise<void>((closed) => udp.close(() => closed())),
      tcp === undefined ? undefined : new Promise<void>((closed) => tcp.close(() => closed())),
    ]);
  }

  #startUdp(port: number): Promise<UdpSocket> {
    return new Promise((resolve, reject) => {
      const socket = createSocket(isIPv6(this.#listen.host) ? 'udp6' : 'udp4');
      socket.once('error', reject);
      socket.bind(port, this.#listen.host, () => {
        socket.off('error', reject);
        socket.on('error', (error) => this.#deps.logger.error('dns: udp socket error', { error: error.message }));
        socket.on('message', (message, peer) => {
          void this.#answer(message, 'udp', peer.address, (reply) => socket.send(reply, peer.port, peer.address, () => undefined));
        });
        resolve(socket);
      });
    });
  }

  #startTcp(): Promise<Server> {
    return new Promise((resolve, reject) => {
      const server = createServer((socket) => this.#serve(socket));
      server.maxConnections = MAX_TCP_CONNECTIONS;
      server.once('error', reject);
      server.listen({ host: this.#listen.host, port: this.#listen.port }, () => {
        server.off('error', reject);
        server.on('error', (error) => this.#deps.logger.error('dns: tcp listener error', { error: error.message }));
        resolve(server);
      });
    });
  }

  /** Messages with two bytes of length before each (RFC 1035 4.2.2), answered one after another. */
  #serve(socket: Socket): void {
    this.#connections.add(socket);
    let received: Buffer = Buffer.alloc(0);
    let idle = this.#armIdle(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      idle.cancel();
      this.#connections.delete(socket);
    });
    const peer = socket.remoteAddress ?? '';
    const next = async (): Promise<void> => {
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const end = 2 + received.readUInt16BE(0);
        const message = received.subarray(2, end);
        received = received.subarray(end);
        await this.#answer(message, 'tcp', peer, (reply) => {
          const length = Buffer.alloc(2);
          length.writeUInt16BE(reply.length);
          socket.write(Buffer.concat([length, reply]));
        });
      }
      socket.resume();
    };
    socket.on('data', (chunk: Buffer) => {
      idle.cancel();
      idle = this.#armIdle(socket);
      received = Buffer.concat([received, chunk]);
      socket.pause();
      void next();
    });
  }

  #armIdle(socket: Socket): { cancel(): void } {
    return this.#deps.clock.setTimer(TCP_IDLE_MS, () => socket.destroy());
  }

  async #answer(message: Buffer, transport: 'udp' | 'tcp', peer: string, send: (reply: Buffer) => void): Promise<void> {
    if (this.#pending >= MAX_PENDING) return;
    this.#pending++;
    try {
      const reply = await this.#deps.handler(message, transport, peer);
      if (reply !== undefined && (transport === 'tcp' || this.#udp !== undefined)) send(reply);
    } finally {
      this.#pending--;
    }
  }
}
