import type { CaRoots, IssuedCert, Timer } from '@lictor/protocol';
import { diffConfig } from '../config/diff.ts';
import type { ProxyConfig } from '../config/types.ts';
import { watch } from '../control-plane/watch.ts';
import { type LeafHealth, leafHealth } from '../identity/expiry.ts';
import type { ProxyOptions, ProxyPorts } from '../options.ts';
import { PublicSide } from './public-side.ts';
import { Revocation } from './revocation.ts';
import { allStats, createServiceContext, type ServiceContext } from './service-context.ts';
import { UpstreamSide } from './upstream-side.ts';

/** consul-facts M006: metrics are flushed this often; housekeeping goes along. */
const TICK_MS = 5000;

export interface RuntimeEvents {
  /** Certificate, roots and listeners are there. */
  onReady(): void;
  /** The proxy cannot do its work. */
  onFatal(error: Error): void;
}

/** Everything of one proxied service: watches, identity, listeners. */
export class ServiceRuntime {
  readonly context: ServiceContext;
  readonly publicSide: PublicSide;
  readonly upstreamSide: UpstreamSide;
  readonly #live: boolean;
  readonly #revocation: Revocation;
  readonly #events: RuntimeEvents;
  readonly #abort = new AbortController();
  #config: ProxyConfig | undefined;
  #applying: Promise<void> = Promise.resolve();
  #tick: Timer | undefined;
  #health: LeafHealth = 'valid';
  #identityLogged = false;
  #announced = false;

  constructor(service: string, options: ProxyOptions, ports: ProxyPorts, events: RuntimeEvents) {
    this.context = createServiceContext(service, options, ports);
    this.publicSide = new PublicSide(this.context);
    this.upstreamSide = new UpstreamSide(this.context);
    this.#revocation = new Revocation(this.context, this.publicSide);
    this.#live = options.revocation !== 'new-connections';
    this.#events = events;
  }

  start(): void {
    const { ports, service, authorizer } = this.context;
    const { controlPlane } = ports;
    const { signal } = this.#abort;
    watch('connect_roots', controlPlane.readRoots(), ports, signal, (roots) => this.#setRoots(roots));
    watch('connect_leaf', controlPlane.readLeaf(service), ports, signal, (leaf) => this.#setLeaf(leaf));
    watch('intentions', controlPlane.readIntentions(service), ports, signal, (set) => {
      authorizer.update(set);
      if (this.#live) this.#revocation.intentionsChanged();
    });
    this.#scheduleTick();
  }

  /** Applies what differs; calls wait for each other. */
  apply(config: ProxyConfig): void {
    this.#applying = this.#applying.then(async () => {
      const diff = diffConfig(this.#config, config);
      this.#config = config;
      await this.upstreamSide.apply(diff.upstreams);
      this.publicSide.apply(diff.publicListener, config.publicListener);
      await this.#serve();
    });
  }

  stopAccepting(): void {
    this.context.isDraining = true;
    this.publicSide.stopAccepting();
    this.upstreamSide.stopAccepting();
  }

  close(): void {
    this.#abort.abort();
    this.#tick?.cancel();
    this.#revocation.stop();
    this.#flush();
    this.context.pool.stop();
    this.publicSide.close();
    this.upstreamSide.close();
  }

  #setRoots(roots: CaRoots): void {
    this.#changeCredentials('roots', () => this.context.credentials.setRoots(roots));
    if (this.#live) this.#revocation.rootsChanged();
  }

  #setLeaf(leaf: IssuedCert): void {
    this.#changeCredentials('leaf', () => this.context.credentials.setLeaf(leaf));
  }

  #changeCredentials(what: string, change: () => boolean): void {
    const { credentials, pool, ports } = this.context;
    const hadSome = credentials.current !== undefined;
    try {
      if (!change()) return;
    } catch (error) {
      ports.logger.error(`failed to use new ${what}, keeping the former`, {
        error: error instanceof Error ? error.message : String(error),
      });
      return;
    }
    const current = credentials.current;
    if (current === undefined) return;
    pool.retire(current.generation);
    this.publicSide.credentialsChanged(current);
    this.#health = 'valid';
    if (hadSome) ports.logger.debug('TLS identity changed', { changed: what, uri: current.uri });
    else {
      this.upstreamSide.wake();
      this.#applying = this.#applying.then(() => this.#serve());
    }
  }

  /** What can be done once there is a certificate; until then nothing, and again after each change of the configuration. */
  async #serve(): Promise<void> {
    const { credentials, ports } = this.context;
    const { current } = credentials;
    if (current === undefined) return;
    if (!this.#identityLogged) {
      this.#identityLogged = true;
      ports.logger.info('Proxy loaded config and ready to serve');
      ports.logger.info('Parsed TLS identity', { uri: current.uri, roots: `[${current.rootNames.join(' ')}]` });
    }
    try {
      await this.publicSide.open();
    } catch (error) {
      this.#listenFailed(error);
      return;
    }
    if (this.#announced) return;
    this.#announced = true;
    this.#events.onReady();
  }

  #listenFailed(error: unknown): void {
    const failure = error instanceof Error ? error : new Error(String(error));
    this.context.ports.logger.error('failed to start public listener', { error: failure.message });
    if (!this.#announced) this.#events.onFatal(failure);
  }

  #scheduleTick(): void {
    this.#tick = this.context.ports.clock.setTimer(TICK_MS, () => {
      this.#flush();
      this.publicSide.tick();
      this.#checkLeaf();
      this.#scheduleTick();
    });
  }

  #flush(): void {
    for (const stats of allStats(this.context)) stats.flush(this.context.ports.metrics);
  }

  #checkLeaf(): void {
    const { credentials, ports } = this.context;
    if (credentials.current === undefined) return;
    const health = leafHealth(credentials.current, ports.clock.now());
    if (health === this.#health) return;
    this.#health = health;
    const expires = new Date(credentials.current.notAfterMs).toISOString();
    if (health === 'overdue') ports.logger.warn('certificate should have been renewed', { uri: credentials.current.uri, expires });
    if (health === 'expired')
      ports.logger.error('certificate expired: refusing new connections', { uri: credentials.current.uri, expires });
  }
}
