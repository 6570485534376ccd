import type { PublicListenerChange } from '../config/diff.ts';
import type { PublicListenerConfig } from '../config/types.ts';
import type { AuthenticatedPeer } from '../identity/authenticate.ts';
import type { Credentials } from '../identity/credentials.ts';
import { formatAddress } from '../inbound/dial-application.ts';
import type { InboundContext } from '../inbound/serve.ts';
import { PublicListener } from '../inbound/public-listener.ts';
import type { ServiceContext } from './service-context.ts';

/** The public listener over time: opened when there is a certificate, replaced when its address changes. */
export class PublicSide {
  readonly #context: ServiceContext;
  readonly #inbound: InboundContext;
  #config: PublicListenerConfig | undefined;
  #listener: PublicListener | undefined;

  constructor(context: ServiceContext) {
    this.#context = context;
    const { clock, logger, accessLog } = context.ports;
    this.#inbound = {
      service: context.service,
      authorizer: context.authorizer,
      registry: context.registry,
      stats: context.inboundStats,
      clock,
      logger: logger.named('inbound'),
      authzLogger: logger.named('connect'),
      accessLog,
      application: () => ({
        host: this.#config?.applicationHost ?? '',
        port: this.#config?.applicationPort ?? 0,
        ...(this.#config?.applicationSocketPath !== undefined && { path: this.#config.applicationSocketPath }),
      }),
      localConnectTimeoutMs: () => this.#config?.localConnectTimeoutMs ?? 0,
      isDraining: () => context.isDraining,
    };
  }

  /** Undefined while it does not listen. */
  get port(): number | undefined {
    return this.#listener?.port;
  }

  /** Takes the new settings and closes what they replace; `open` does the rest. */
  apply(change: PublicListenerChange, config: PublicListenerConfig | undefined): void {
    this.#config = config;
    if (change === 'close' || change === 'replace') {
      this.#listener?.stopAccepting();
      this.#listener = undefined;
      if (change === 'close') this.#context.ports.logger.info('listener stopped', { listener: 'public listener' });
    }
  }

  /**
   * Opens what should be open and is not. There must be a certificate: a TLS listener without one could only refuse.
   * @throws when the address cannot be listened on
   */
  async open(): Promise<void> {
    const config = this.#config;
    if (config === undefined || this.#listener !== undefined) return;
    const bind_addr = formatAddress(config);
    this.#context.ports.logger.info('Starting listener', { listener: 'public listener', bind_addr });
    const listener = new PublicListener(
      {
        host: config.host,
        port: config.port,
        maxConnections: config.maxConnections,
        handshakeTimeoutMs: () => this.#config?.handshakeTimeoutMs ?? config.handshakeTimeoutMs,
      },
      this.#inbound,
      () => this.#context.credentials.current,
    );
    this.#listener = listener;
    try {
      await listener.listen();
    } catch (error) {
      this.#listener = undefined;
      throw error;
    }
  }

  credentialsChanged(credentials: Credentials): void {
    this.#listener?.credentialsChanged(credentials);
  }

  closeIdleTunnels(isDenied: (peer: AuthenticatedPeer) => boolean): void {
    this.#listener?.closeIdleTunnels(isDenied);
  }

  tick(): void {
    this.#listener?.tick();
  }

  stopAccepting(): void {
    this.#listener?.stopAccepting();
  }

  close(): void {
    this.#listener?.close();
  }
}
