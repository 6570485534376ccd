import { createServer, type Server, type Socket } from 'node:net';
import type { Clock, Logger } from '@lictor/protocol';
import { type AccessLog, type AccessRecord, startStopwatch } from '../observe/access-log.ts';
import type { ListenerStats } from '../observe/listener-stats.ts';
import type { OpenStream, StreamRegistry } from '../registry/registry.ts';
import { StreamFailure } from '../relay/end.ts';
import { type Relay, relay } from '../relay/relay.ts';
import { SocketEnd } from '../relay/socket-end.ts';
import { REFUSAL } from '../tunnel/frame.ts';
import type { Connected, Connector } from './connector.ts';
import { UpstreamEnd } from './upstream-end.ts';

export interface UpstreamListenerOptions {
  readonly host: string;
  readonly port: number;
  readonly destination: string;
  readonly maxConnections: number;
  connectTimeoutMs(): number;
}

export interface UpstreamContext {
  readonly connector: Connector;
  readonly registry: StreamRegistry;
  readonly stats: ListenerStats;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly accessLog: AccessLog | undefined;
}

/** Accepts the local application's connections in clear text and carries each to an instance of the destination. */
export class UpstreamListener {
  readonly #options: UpstreamListenerOptions;
  readonly #context: UpstreamContext;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(options: UpstreamListenerOptions, context: UpstreamContext) {
    this.#options = options;
    this.#context = context;
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) => this.#onConnection(socket));
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

  stopAccepting(): void {
    this.#server.close();
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #onConnection(socket: Socket): void {
    const end = new SocketEnd(socket);
    if (this.#sockets.size >= this.#options.maxConnections) {
      this.#context.logger.error('connection refused', { error: `${this.#options.maxConnections} connections are open` });
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    this.#serve(end, this.#startRecord(socket));
  }

  #serve(application: SocketEnd, report: ReportOutcome): void {
    const { connector, registry, stats, logger } = this.#context;
    const destination = this.#options.destination;
    let connected: Connected | undefined;
    let stream: OpenStream | undefined;
    const over = (error?: Error): void => {
      if (connected !== undefined) {
        connector.stream(connected.instance, false);
        stats.closed(running.counters);
      }
      if (stream !== undefined) registry.remove(stream);
      if (error instanceof StreamFailure && error.refusal.code === REFUSAL.denied) {
        logger.error('connection revoked', { upstream: destination, reason: error.message });
      } else if (error !== undefined) logger.debug('connection failed', { upstream: destination, error: error.message });
      report(error === undefined ? 'closed' : 'failed', error?.message ?? '', connected, running);
    };
    const end = new UpstreamEnd();
    const running: Relay = relay(application, end, over);
    connector.connect(this.#options.connectTimeoutMs(), {
      end,
      onConnected: (present) => {
        connected = present;
        const { peer, authenticatedMs } = present;
        stream = { direction: 'upstream', peer, authenticatedMs, close: (reason) => running.abort({ code: REFUSAL.reset, reason }) };
        connector.stream(present.instance, true);
        registry.add(stream);
        stats.opened(running.counters);
      },
      onFailed: (refusal) => {
        stats.failed();
        logger.error('failed to dial', { upstream: destination, error: refusal.reason });
        end.fail(refusal);
      },
    });
  }

  #startRecord(socket: Socket): ReportOutcome {
    const { accessLog, clock } = this.#context;
    if (accessLog === undefined) return () => undefined;
    const stopwatch = startStopwatch(clock);
    const from = `${socket.remoteAddress ?? ''}:${socket.remotePort ?? 0}`;
    return (outcome, reason, connected, running) =>
      accessLog({
        startedMs: stopwatch.startedMs,
        durationMs: stopwatch.elapsedMs(),
        direction: 'upstream',
        peer: connected?.peer.uri ?? '',
        from,
        to: connected === undefined ? '' : `${connected.instance.host}:${connected.instance.port}`,
        transport: connected?.transport ?? 'tls',
        rxBytes: running?.counters.forward ?? 0,
        txBytes: running?.counters.backward ?? 0,
        outcome,
        reason,
      });
  }
}

type ReportOutcome = (outcome: AccessRecord['outcome'], reason: string, connected?: Connected, running?: Relay) => void;
