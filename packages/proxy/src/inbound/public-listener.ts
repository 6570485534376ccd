import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { Timer } from '@lictor/protocol';
import { type AuthenticatedPeer, authenticate } from '../identity/authenticate.ts';
import type { Credentials } from '../identity/credentials.ts';
import { LimitedLog } from '../observe/limited-log.ts';
import { SocketEnd } from '../relay/socket-end.ts';
import { TUNNEL_PROTOCOL } from '../tunnel/frame.ts';
import { type InboundContext, serveInbound } from './serve.ts';
import { refuseTunnel, serveTunnel, type TunnelServer } from './tunnel-server.ts';

export interface PublicListenerOptions {
  readonly host: string;
  readonly port: number;
  /** TCP connections at a time, tunnels and unfinished handshakes included. */
  readonly maxConnections: number;
  handshakeTimeoutMs(): number;
}

/** Handshakes that may be unfinished at a time: what an unauthenticated peer can make us hold. */
const MAX_HANDSHAKES = 1024;
/** Longer than the callers' own 60 s, so that they are the ones who close. */
const TUNNEL_IDLE_MS = 150_000;

/** Accepts mTLS connections for the local service. Every failure closes one connection and nothing else. */
export class PublicListener {
  readonly #options: PublicListenerOptions;
  readonly #context: InboundContext;
  readonly #credentials: () => Credentials | undefined;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** By remote address: TLS events name the TLS socket, not the TCP one. */
  readonly #handshakes = new Map<string, Timer>();
  readonly #tunnels = new Set<TunnelServer>();
  readonly #complaints: LimitedLog;

  constructor(options: PublicListenerOptions, context: InboundContext, credentials: () => Credentials | undefined) {
    this.#options = options;
    this.#context = context;
    this.#credentials = credentials;
    this.#complaints = new LimitedLog(context.logger, context.clock);
    this.#server = createServer({
      // Not `true`, or Node would drop the connection before the peer could be told why: `authenticate` is the same check and more.
      requestCert: true,
      rejectUnauthorized: false,
      noDelay: true,
      handshakeTimeout: options.handshakeTimeoutMs(),
      ALPNCallback: chooseProtocol,
      ...credentials()?.tls,
    });
    this.#server.prependListener('connection', (socket: Socket) => this.#onConnection(socket));
    this.#server.on('secureConnection', (socket) => this.#onSecure(socket));
    this.#server.on('tlsClientError', (error, socket) => this.#onHandshakeFailed(error, socket));
  }

  /** Resolves when it accepts connections. @throws the error of listen(2) */
  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host: this.#options.host, port: this.#options.port, backlog: 1024 }, () => {
        this.#server.off('error', reject);
        this.#server.on('error', (error) => this.#context.logger.error('listener error', { error: error.message }));
        resolve();
      });
    });
  }

  get port(): number {
    const address = this.#server.address();
    return address !== null && typeof address === 'object' ? address.port : this.#options.port;
  }

  /** New connections get the new certificate and roots; tunnels are asked to retire, streams go on. */
  credentialsChanged(credentials: Credentials): void {
    this.#server.setSecureContext(credentials.tls);
    for (const tunnel of this.#tunnels) tunnel.retire();
  }

  /** Closes idle tunnels of peers that may not come in any more: their next stream would be refused anyway. */
  closeIdleTunnels(isDenied: (peer: AuthenticatedPeer) => boolean): void {
    for (const tunnel of this.#tunnels) if (tunnel.idleSinceMs() !== undefined && isDenied(tunnel.peer)) tunnel.end();
  }

  /** Housekeeping, every few seconds. */
  tick(): void {
    const nowMs = this.#context.clock.monotonic();
    for (const tunnel of this.#tunnels) if (nowMs - (tunnel.idleSinceMs() ?? nowMs) > TUNNEL_IDLE_MS) tunnel.end();
  }

  /** Accepts no more; what is open goes on. */
  stopAccepting(): void {
    this.#server.close();
    for (const tunnel of this.#tunnels) tunnel.retire();
  }

  /** Ends everything at once. */
  close(): void {
    this.#server.close();
    for (const timer of this.#handshakes.values()) timer.cancel();
    for (const socket of this.#sockets) socket.destroy();
  }

  #onConnection(socket: Socket): void {
    socket.on('error', () => undefined);
    const refusal = this.#reasonToRefuse();
    if (refusal !== undefined) {
      socket.destroy();
      this.#complaints.error('connection refused', { error: refusal });
      return;
    }
    const key = addressOf(socket);
    this.#sockets.add(socket);
    this.#handshakes.set(
      key,
      this.#context.clock.setTimer(this.#options.handshakeTimeoutMs(), () => {
        this.#complaints.error('TLS handshake failed', {
          error: `no handshake within ${this.#options.handshakeTimeoutMs()} ms`,
          from: key,
        });
        socket.destroy();
      }),
    );
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#endHandshake(key);
    });
  }

  #reasonToRefuse(): string | undefined {
    const credentials = this.#credentials();
    if (credentials === undefined) return 'no certificate yet';
    if (credentials.notAfterMs <= this.#context.clock.now())
      return `own certificate expired ${new Date(credentials.notAfterMs).toISOString()}`;
    if (this.#sockets.size >= this.#options.maxConnections) return `${this.#options.maxConnections} connections are open`;
    if (this.#handshakes.size >= MAX_HANDSHAKES) return `${MAX_HANDSHAKES} handshakes are unfinished`;
    return undefined;
  }

  #onSecure(socket: TLSSocket): void {
    // Only from here on: a peer that hangs up during the handshake has left.
    socket.allowHalfOpen = true;
    socket.on('error', () => undefined);
    const remoteAddress = addressOf(socket);
    this.#endHandshake(remoteAddress);
    const credentials = this.#credentials();
    if (credentials === undefined) {
      socket.destroy();
      return;
    }
    const peer = authenticate(socket, credentials, this.#context.clock.now());
    const isTunnel = socket.alpnProtocol === TUNNEL_PROTOCOL;
    if (!peer.ok) {
      this.#context.stats.refused();
      this.#complaints.error('failed TLS verification', { error: peer.reason, from: remoteAddress });
      if (isTunnel) refuseTunnel(socket, peer.reason, this.#context);
      else socket.destroy();
      return;
    }
    if (isTunnel) this.#serveTunnel(socket, peer);
    else this.#serveConnection(socket, peer, remoteAddress);
  }

  #serveTunnel(socket: TLSSocket, peer: AuthenticatedPeer): void {
    const tunnel = serveTunnel(socket, peer, this.#context, this.#credentials, () => this.#tunnels.delete(tunnel));
    this.#tunnels.add(tunnel);
  }

  /** One stream on a connection of its own: real Consul's proxies, Envoy, native applications. */
  #serveConnection(socket: TLSSocket, peer: AuthenticatedPeer, remoteAddress: string): void {
    socket.pause();
    serveInbound(
      {
        transport: 'tls',
        remoteAddress,
        peer,
        accept: () => (socket.destroyed ? undefined : new SocketEnd(socket)),
        refuse: () => socket.destroy(),
        done: () => undefined,
      },
      this.#context,
    );
  }

  #onHandshakeFailed(error: Error, socket: TLSSocket): void {
    socket.on('error', () => undefined);
    socket.destroy();
    // A TCP health check looks like this, every ten seconds.
    if ('code' in error && error.code === 'ECONNRESET') this.#context.logger.debug('peer hung up during the TLS handshake');
    else this.#complaints.error('TLS handshake failed', { error: error.message, from: addressOf(socket) });
  }

  #endHandshake(key: string): void {
    this.#handshakes.get(key)?.cancel();
    this.#handshakes.delete(key);
  }
}

/**
 * Our own sidecars offer the tunnel. To others ALPN means the application's protocol, which is none of ours at L4: agree to
 * whatever they offer, HTTP/1.1 first, since the alternative that Node leaves is to refuse.
 */
function chooseProtocol({ protocols }: { protocols: readonly string[] }): string | undefined {
  if (protocols.includes(TUNNEL_PROTOCOL)) return TUNNEL_PROTOCOL;
  return protocols.includes('http/1.1') ? 'http/1.1' : protocols[0];
}

function addressOf(socket: Socket): string {
  return `${socket.remoteAddress ?? ''}:${socket.remotePort ?? 0}`;
}
