import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { Clock } from '@lictor/protocol';
import type { SpiffeId } from '@lictor/pki';
import type { Instance } from '../balancer/balancer.ts';
import { type AuthenticatedPeer, authenticate } from '../identity/authenticate.ts';
import type { Credentials } from '../identity/credentials.ts';
import { TUNNEL_PROTOCOL } from '../tunnel/frame.ts';

export interface DialedPeer {
  readonly socket: TLSSocket;
  readonly peer: AuthenticatedPeer;
  /** Both sides agreed to frame streams. */
  readonly isTunnel: boolean;
}

export type DialFailure =
  /** The peer is a TLS server with its own ALPN list: dial again without. */
  | { readonly kind: 'no-alpn'; readonly reason: string }
  /** Whoever answered is not who we look for; `socket` is still open when it could be told so. */
  | { readonly kind: 'wrong-identity'; readonly reason: string; readonly socket: TLSSocket; readonly isTunnel: boolean }
  | { readonly kind: 'failed'; readonly reason: string };

export interface DialRequest {
  readonly instance: Instance;
  readonly credentials: Credentials;
  /** Exactly who must answer (CVE-2021-32574). */
  readonly expected: SpiffeId;
  readonly offerTunnel: boolean;
  readonly timeoutMs: number;
}

/** OpenSSL 3 reports the peer's alert 120 with this code. */
const NO_ALPN = 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL';

/** Opens a mutual TLS connection; exactly one of the callbacks is called, once. The socket is made for half-closes. */
export function dialPeer(
  request: DialRequest,
  clock: Clock,
  onPeer: (dialed: DialedPeer) => void,
  onFailure: (failure: DialFailure) => void,
): void {
  const { instance, credentials } = request;
  let settled = false;
  const options: ConnectionOptions & { readonly allowHalfOpen: boolean } = {
    host: instance.host,
    port: instance.port,
    secureContext: credentials.context,
    // Identity is not a host name: `authenticate` below, on the DER bytes, is the check, and nothing flows before it.
    rejectUnauthorized: true,
    checkServerIdentity: () => undefined,
    ...(request.offerTunnel && { ALPNProtocols: [TUNNEL_PROTOCOL] }),
    allowHalfOpen: true,
  };
  const socket = connect(options);
  const settle = (): boolean => {
    if (settled) return false;
    settled = true;
    timer.cancel();
    return true;
  };
  const fail = (failure: DialFailure): void => {
    if (!settle()) return;
    if (failure.kind !== 'wrong-identity') socket.destroy();
    onFailure(failure);
  };
  const target = `${instance.host}:${instance.port}`;
  const timer = clock.setTimer(request.timeoutMs, () => fail({ kind: 'failed', reason: `dial tcp ${target}: i/o timeout` }));
  socket.setNoDelay(true);
  socket.on('error', (error) => fail({ kind: 'code' in error && error.code === NO_ALPN ? 'no-alpn' : 'failed', reason: error.message }));
  socket.on('close', () => fail({ kind: 'failed', reason: `connection to ${target} closed during the handshake` }));
  socket.on('secureConnect', () => {
    if (settled) return;
    const peer = authenticate(socket, credentials, clock.now(), request.expected);
    const isTunnel = socket.alpnProtocol === TUNNEL_PROTOCOL;
    if (!peer.ok) fail({ kind: 'wrong-identity', reason: peer.reason, socket, isTunnel });
    else if (settle()) onPeer({ socket, peer, isTunnel });
  });
}
