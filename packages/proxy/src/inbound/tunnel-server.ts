import type { TLSSocket } from 'node:tls';
import { type AuthenticatedPeer, reauthenticate } from '../identity/authenticate.ts';
import type { Credentials } from '../identity/credentials.ts';
import { TunnelConnection } from '../tunnel/connection.ts';
import { FrameError, REFUSAL } from '../tunnel/frame.ts';
import { type InboundContext, serveInbound } from './serve.ts';

/** The callee's side of one tunnel. */
export interface TunnelServer {
  readonly peer: AuthenticatedPeer;
  /** Monotonic time since which no stream runs; undefined while one does. */
  idleSinceMs(): number | undefined;
  retire(): void;
  end(): void;
}

/**
 * Serves one stream after another. Each is authorised anew, and the peer's certificate checked anew against the present roots
 * and time: a connection that has lived through a rotation proves nothing by its age.
 */
export function serveTunnel(
  socket: TLSSocket,
  peer: AuthenticatedPeer,
  context: InboundContext,
  credentials: () => Credentials | undefined,
  onClosed: (error?: Error) => void,
): TunnelServer {
  let idleSinceMs: number | undefined = context.clock.monotonic();
  const remoteAddress = `${socket.remoteAddress ?? ''}:${socket.remotePort ?? 0}`;

  const onOpen = (service: string): void => {
    idleSinceMs = undefined;
    const present = credentials();
    const verdict = present === undefined ? undefined : reauthenticate(peer, present, context.clock.now());
    if (verdict === undefined || !verdict.ok) {
      const reason = verdict?.reason ?? 'proxy has no certificate';
      context.logger.error('failed TLS verification', { error: reason, client: peer.uri });
      connection.refuse({ code: REFUSAL.stale, reason });
      return;
    }
    // Envoy CVE-2020-11767: a kept connection must not carry traffic meant for someone else.
    if (service !== context.service) {
      connection.refuse({ code: REFUSAL.unauthenticated, reason: `this is ${context.service}, not ${service}` });
      return;
    }
    serveInbound(
      {
        transport: 'tunnel',
        remoteAddress,
        peer,
        accept: () => (connection.isClosed ? undefined : connection.accept()),
        refuse: (refusal) => connection.refuse(refusal),
        done: () => undefined,
      },
      context,
    );
  };
  const connection = new TunnelConnection(
    socket,
    'callee',
    {
      onOpen,
      onIdle: () => {
        idleSinceMs = context.clock.monotonic();
      },
      onRetire: () => undefined,
      onRefuse: (refusal) => context.logger.error('refused by caller', { error: refusal.reason, client: peer.uri }),
      onClosed: (error) => {
        if (error instanceof FrameError) {
          context.stats.protocolError();
          context.logger.warn('tunnel closed: protocol error', { error: error.message, client: peer.uri });
        }
        onClosed(error);
      },
    },
    context.clock,
  );
  return { peer, idleSinceMs: () => idleSinceMs, retire: () => connection.retire(), end: () => connection.end() };
}

/** Tells a caller that expects a tunnel why it gets none. */
export function refuseTunnel(socket: TLSSocket, reason: string, context: Pick<InboundContext, 'clock'>): void {
  const nothing = (): void => undefined;
  const connection = new TunnelConnection(socket, 'callee', { onIdle: nothing, onRetire: nothing, onClosed: nothing }, context.clock);
  connection.refuse({ code: REFUSAL.unauthenticated, reason });
}
