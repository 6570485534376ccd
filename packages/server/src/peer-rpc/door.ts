import { createServer, type Server, type Socket } from 'node:net';
import type { ConnectionInjector } from '@grpc/grpc-js';
import { LictorError } from '@lictor/protocol';
import type { PeerRpcPorts } from './ports.ts';
import { ENROLL_PREFACE } from './protocol.ts';

export interface DoorOptions {
  readonly host: string;
  readonly port: number;
  /** How long a caller may take to say its first word; 0: for ever. */
  readonly firstWordTimeoutMs: number;
  /** 0: any number. */
  readonly maxConnectionsPerClient: number;
  /** Where connections go that begin with TLS, and those that do not; undefined: nowhere. */
  readonly tls: ConnectionInjector | undefined;
  readonly plain: ConnectionInjector | undefined;
  /** Where connections go that begin with `ENROLL_PREFACE`, without it. */
  readonly enroll?: ConnectionInjector | undefined;
}

/** The first byte of a handshake (RFC 8446 5.1). HTTP/2 begins with a `P`. */
const TLS_HANDSHAKE = 0x16;
/** Callers without a certificate, all together, and how long each may stay: one call is all they come for. */
const MAX_STRANGERS = 256;
const MAX_STRANGER_AGE_MS = 30_000;

/**
 * Takes connections, so many from each address, and hands them on by their first byte: one port for TLS and plain text lets a cluster go from
 * one to the other server by server, as Consul's does.
 */
export class Door {
  readonly #options: DoorOptions;
  readonly #ports: PeerRpcPorts;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #perClient = new Map<string, number>();
  #strangers = 0;

  constructor(options: DoorOptions, ports: PeerRpcPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
  }

  /**
   * @returns The port bound.
   * @throws LictorError `unavailable`
   */
  open(): Promise<number> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error) => {
        reject(new LictorError('unavailable', `listen tcp ${host}:${port}: ${error.message}`, { cause: error }));
      });
      this.#server.listen({ host, port }, () => {
        this.#server.removeAllListeners('error');
        this.#server.on('error', (error) => this.#ports.logger.error('the RPC listener failed', { error }));
        const address = this.#server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : port);
      });
    });
  }

  /** Nobody gets in any more; resolves when all who were in have gone. */
  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  /** Who is in goes too. */
  clear(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #accept(socket: Socket): void {
    // An error that nobody listens to ends the process.
    socket.on('error', () => undefined);
    const client = socket.remoteAddress;
    const count = (client === undefined ? undefined : this.#perClient.get(client)) ?? 0;
    const { maxConnectionsPerClient, firstWordTimeoutMs } = this.#options;
    if (client === undefined || (maxConnectionsPerClient > 0 && count >= maxConnectionsPerClient)) {
      this.#ports.metrics.incrCounter('rpc.peer.overloaded');
      socket.destroy();
      return;
    }
    this.#perClient.set(client, count + 1);
    this.#sockets.add(socket);
    socket.once('close', () => this.#leave(socket, client));
    const timer = firstWordTimeoutMs > 0 ? this.#ports.clock.setTimer(firstWordTimeoutMs, () => socket.destroy()) : undefined;
    socket.once('close', () => timer?.cancel());
    socket.once('data', (beginning: Buffer) => {
      timer?.cancel();
      this.#handOn(socket, beginning);
    });
  }

  #handOn(socket: Socket, beginning: Buffer): void {
    const { tls, plain, enroll } = this.#options;
    const isEnrolling = beginning[0] === ENROLL_PREFACE;
    const injector = isEnrolling ? enroll : beginning[0] === TLS_HANDSHAKE ? tls : plain;
    if (injector === undefined || (isEnrolling && !this.#admitStranger(socket))) {
      this.#ports.metrics.incrCounter('rpc.peer.rejected');
      socket.destroy();
      return;
    }
    // Whoever takes the socket reads first what was read already.
    socket.pause();
    const unread = isEnrolling ? beginning.subarray(1) : beginning;
    if (unread.length > 0) socket.unshift(unread);
    injector.injectConnection(socket);
  }

  /** Everybody may knock: so few at a time that those who have a certificate do not notice. */
  #admitStranger(socket: Socket): boolean {
    if (this.#strangers >= MAX_STRANGERS) return false;
    this.#strangers++;
    const timer = this.#ports.clock.setTimer(MAX_STRANGER_AGE_MS, () => socket.destroy());
    socket.once('close', () => {
      timer.cancel();
      this.#strangers--;
    });
    return true;
  }

  #leave(socket: Socket, client: string): void {
    this.#sockets.delete(socket);
    const left = (this.#perClient.get(client) ?? 1) - 1;
    if (left > 0) this.#perClient.set(client, left);
    else this.#perClient.delete(client);
  }
}
