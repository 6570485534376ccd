import type { Socket } from 'node:net';
import type { Clock, Logger } from '@lictor/protocol';
import type { Authorizer } from '../authz/authorizer.ts';
import type { AuthenticatedPeer } from '../identity/authenticate.ts';
import { type AccessLog, type AccessRecord, startStopwatch } from '../observe/access-log.ts';
import type { ListenerStats } from '../observe/listener-stats.ts';
import type { OpenStream, StreamRegistry } from '../registry/registry.ts';
import type { ByteEnd } from '../relay/end.ts';
import { type Relay, relay } from '../relay/relay.ts';
import { SocketEnd } from '../relay/socket-end.ts';
import { REFUSAL, type Refusal } from '../tunnel/frame.ts';
import { type ApplicationAddress, dialApplication, formatAddress } from './dial-application.ts';

/** What every inbound stream needs, whatever carried it here. */
export interface InboundContext {
  readonly service: string;
  readonly authorizer: Authorizer;
  readonly registry: StreamRegistry;
  readonly stats: ListenerStats;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly authzLogger: Logger;
  readonly accessLog: AccessLog | undefined;
  application(): ApplicationAddress;
  localConnectTimeoutMs(): number;
  isDraining(): boolean;
}

/** A stream that a peer asks for: over its own TLS connection, or in a tunnel. */
export interface InboundRequest {
  readonly transport: 'tls' | 'tunnel';
  readonly remoteAddress: string;
  readonly peer: AuthenticatedPeer;
  /** The local application has taken it: the bytes may flow. Undefined when the peer has gone meanwhile. */
  accept(): ByteEnd | undefined;
  refuse(refusal: Refusal): void;
  /** Called once when nothing more will come of the request. */
  done(): void;
}

/** Authorise, dial the application, relay. The path of every inbound stream, L4; L7 will stand between dial and relay. */
export function serveInbound(request: InboundRequest, context: InboundContext): void {
  const stopwatch = startStopwatch(context.clock);
  const report = (outcome: AccessRecord['outcome'], reason: string, running?: Relay): void =>
    context.accessLog?.({
      startedMs: stopwatch.startedMs,
      durationMs: stopwatch.elapsedMs(),
      direction: 'inbound',
      peer: request.peer.uri,
      from: request.remoteAddress,
      to: formatAddress(context.application()),
      transport: request.transport,
      rxBytes: running?.counters.forward ?? 0,
      txBytes: running?.counters.backward ?? 0,
      outcome,
      reason,
    });
  if (context.isDraining()) {
    request.refuse({ code: REFUSAL.unavailable, reason: 'proxy is shutting down' });
    request.done();
    return;
  }
  context.authorizer.authorize(request.peer, (verdict) => {
    if (!verdict.allowed) {
      context.stats.refused();
      context.authzLogger.error('authz call denied', { service: context.service, reason: verdict.reason, client: request.peer.uri });
      request.refuse({ code: REFUSAL.denied, reason: verdict.reason });
      request.done();
      report('denied', verdict.reason);
      return;
    }
    serveAllowed(request, context, report);
  });
}

type Report = (outcome: AccessRecord['outcome'], reason: string, running?: Relay) => void;

/** In the registry from here on, so that a rule that changes while the application is dialled is not missed. */
function serveAllowed(request: InboundRequest, context: InboundContext, report: Report): void {
  let running: Relay | undefined;
  let revoked: string | undefined;
  const stream: OpenStream = {
    direction: 'inbound',
    peer: request.peer,
    authenticatedMs: context.clock.now(),
    close: (reason) => {
      revoked = reason;
      if (running !== undefined) running.abort({ code: REFUSAL.denied, reason });
      else {
        cancelDial();
        request.refuse({ code: REFUSAL.denied, reason });
        over();
      }
    },
  };
  const over = (error?: Error): void => {
    context.registry.remove(stream);
    if (running !== undefined) context.stats.closed(running.counters);
    request.done();
    if (revoked !== undefined) report('revoked', revoked, running);
    else if (error !== undefined) report('failed', error.message, running);
    else report('closed', '', running);
  };
  const onDialled = (error: Error | undefined, socket: Socket | undefined): void => {
    if (socket === undefined) {
      const reason = error?.message ?? 'dial failed';
      context.stats.failed();
      context.logger.error('failed to dial', { error: reason });
      request.refuse({ code: REFUSAL.unavailable, reason: `local application: ${reason}` });
      over(new Error(reason));
      return;
    }
    const end = request.accept();
    if (end === undefined) {
      socket.destroy();
      over(new Error('peer closed'));
      return;
    }
    running = relay(end, new SocketEnd(socket), over);
    context.stats.opened(running.counters);
  };
  context.registry.add(stream);
  const cancelDial = dialApplication(context.application(), context.localConnectTimeoutMs(), context.clock, onDialled);
}
