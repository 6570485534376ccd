import { createServer, type Server } from 'node:http';
import type { Clock, Logger } from '@lictor/protocol';
import type { ServiceContext } from '../runtime/service-context.ts';
import { prometheusText } from './prometheus-text.ts';

const REQUEST_TIMEOUT_MS = 5000;

/** `GET /metrics` for Prometheus, in clear text: bind it to loopback. */
export class PrometheusEndpoint {
  readonly #bindAddr: string;
  readonly #logger: Logger;
  readonly #server: Server;

  constructor(bindAddr: string, context: () => ServiceContext | undefined, logger: Logger, clock: Clock) {
    this.#bindAddr = bindAddr;
    this.#logger = logger;
    this.#server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
      if (request.method !== 'GET' || request.url !== '/metrics') {
        response.writeHead(404).end();
        return;
      }
      const present = context();
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
      response.end(present === undefined ? '' : prometheusText(present, clock.now()));
    });
    this.#server.maxConnections = 64;
  }

  get port(): number | undefined {
    const address = this.#server.address();
    return address !== null && typeof address === 'object' ? address.port : undefined;
  }

  /** Logs and goes on without when the address cannot be had: metrics are not worth the data path. */
  start(): void {
    const separator = this.#bindAddr.lastIndexOf(':');
    const host = this.#bindAddr.slice(0, separator).replace(/^\[(.*)\]$/, '$1') || '127.0.0.1';
    this.#server.on('error', (error) => this.#logger.error('prometheus endpoint failed', { error: error.message }));
    this.#server.listen({ host, port: Number(this.#bindAddr.slice(separator + 1)) }, () =>
      this.#logger.info('Starting listener', { listener: 'prometheus', bind_addr: `${host}:${this.port ?? 0}` }),
    );
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
