import {
  type CaRoots,
  type Clock,
  type IssuedCert,
  LictorError,
  type Logger,
  type Metrics,
  NO_TOKEN,
  type QueryMeta,
  type Random,
  type ServerPort,
  sleep,
  type Timer,
} from '@lictor/protocol';
import { IDLE_TTL_MS, type LeafSource } from '../cache/index.ts';
import { Waiters } from '../cache/waiters.ts';
import type { AgentCache, CacheOptions, CacheResult, LeafRequest, RuntimeConfig } from '../contracts/index.ts';
import { issueLeaf } from './issue.ts';
import { LeafMachine } from './machine.ts';

/** Renewal is a comparison of wall-clock times at this rhythm: a timer for three days would sleep with the laptop. */
const TICK_MS = 5_000;
const ROOTS_RETRY_MS = 5_000;
const DEFAULT_WAIT_MS = 300_000;
/** One key pair and certificate each, a few kilobytes. */
const MAX_LEAVES = 10_000;

export interface LeafPorts {
  readonly server: ServerPort;
  readonly cache: AgentCache;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly config: () => RuntimeConfig;
}

interface Leaf {
  readonly key: string;
  readonly request: LeafRequest;
  readonly options: Pick<CacheOptions, 'token'> & { readonly datacenter: string };
  readonly machine: LeafMachine;
  readonly waiters: Waiters;
  cert: IssuedCert | undefined;
  lastUsedMs: number;
}

/** The leaves of this agent's services: issued on demand, renewed in time, moved to a new root, dropped when idle. */
export class LeafManager implements LeafSource {
  readonly #ports: LeafPorts;
  readonly #leaves = new Map<string, Leaf>();
  readonly #stopped = new AbortController();
  #ticker: Timer | undefined;
  #isWatchingRoots = false;

  constructor(ports: LeafPorts) {
    this.#ports = ports;
  }

  get entryCount(): number {
    return this.#leaves.size;
  }

  stop(): void {
    this.#stopped.abort(new Error('agent is shutting down'));
    this.#ticker?.cancel();
    for (const leaf of this.#leaves.values()) this.#drop(leaf);
  }

  /** Blocks with `minIndex` until another certificate is there. @throws LictorError of the first signature, if it fails */
  async get(request: LeafRequest, options: CacheOptions): Promise<CacheResult<'ConnectCA.Leaf'>> {
    if (request.service === '') throw new LictorError('rejected', 'URI must be either service, agent, server, or kind');
    const { clock } = this.#ports;
    const leaf = this.#leaf(request, options);
    const minIndex = options.minIndex ?? 0;
    const deadlineMs = clock.monotonic() + (options.maxWaitMs ?? DEFAULT_WAIT_MS);
    let hasWaited = false;
    for (;;) {
      if (leaf.machine.request()) this.#sign(leaf);
      const nowMs = clock.monotonic();
      const { cert } = leaf;
      if (cert !== undefined && (cert.ModifyIndex > minIndex || minIndex === 0 || cert.ModifyIndex < minIndex || nowMs >= deadlineMs)) {
        return { value: cert, meta: metaOf(cert), hit: !hasWaited, ageMs: 0 };
      }
      if (nowMs >= deadlineMs) throw new LictorError('deadline-exceeded', 'timed out waiting for the certificate');
      hasWaited = true;
      await leaf.waiters.wait(clock, cert === undefined ? 0 : minIndex, Math.max(0, deadlineMs - nowMs), options.signal);
    }
  }

  #leaf(request: LeafRequest, options: CacheOptions): Leaf {
    const { clock, random, config } = this.#ports;
    const datacenter = options.datacenter === undefined || options.datacenter === '' ? config().datacenter : options.datacenter;
    const token = options.token.reveal();
    const key = `${datacenter.length}|${datacenter}|${token.length}|${token}|${request.service}`;
    const known = this.#leaves.get(key);
    if (known !== undefined) {
      known.lastUsedMs = clock.monotonic();
      return known;
    }
    if (this.#leaves.size >= MAX_LEAVES) this.#makeRoom();
    const leaf: Leaf = {
      key,
      request: { service: request.service },
      options: { token: options.token, datacenter },
      machine: new LeafMachine(random, config().connect.leafRootChangeSpreadMs),
      waiters: new Waiters(),
      cert: undefined,
      lastUsedMs: clock.monotonic(),
    };
    this.#leaves.set(key, leaf);
    this.#scheduleTick();
    return leaf;
  }

  #sign(leaf: Leaf): void {
    const { clock, logger, metrics } = this.#ports;
    void this.#issue(leaf).then(
      (cert) => {
        if (!this.#leaves.has(leaf.key)) return;
        leaf.cert = cert;
        metrics.incrCounter('leaf-certs.generated', 1);
        leaf.waiters.news();
        void this.#watchRoots();
      },
      (thrown: unknown) => {
        const error = LictorError.from(thrown);
        leaf.machine.failed(clock.now(), error.code === 'rate-limited');
        if (leaf.cert === undefined) leaf.waiters.failAll(error);
        else
          logger.warn('leaf certificate is not renewed yet, the current one stays in use', {
            service: leaf.request.service,
            error: error.message,
          });
        if (leaf.cert === undefined && leaf.waiters.size === 0) this.#leaves.delete(leaf.key);
      },
    );
  }

  async #issue(leaf: Leaf): Promise<IssuedCert> {
    const { cache, server } = this.#ports;
    const { datacenter, token } = leaf.options;
    const roots = await cache.get('ConnectCA.Roots', {}, { token: NO_TOKEN, datacenter });
    const cert = await issueLeaf(server, { service: leaf.request.service, datacenter, token, roots: roots.value }, this.#stopped.signal);
    leaf.machine.signed({
      validFromMs: Date.parse(cert.ValidAfter),
      validUntilMs: Date.parse(cert.ValidBefore),
      rootId: roots.value.ActiveRootID,
    });
    return cert;
  }

  #scheduleTick(): void {
    this.#ticker ??= this.#ports.clock.setTimer(TICK_MS, () => {
      this.#ticker = undefined;
      this.#tick();
      if (this.#leaves.size > 0 && !this.#stopped.signal.aborted) this.#scheduleTick();
    });
  }

  #tick(): void {
    const { clock, metrics } = this.#ports;
    for (const leaf of this.#leaves.values()) {
      if (leaf.waiters.size === 0 && clock.monotonic() - leaf.lastUsedMs >= IDLE_TTL_MS) {
        metrics.incrCounter('cache.evict_expired', 1);
        this.#drop(leaf);
      } else if (leaf.machine.tick(clock.now())) this.#sign(leaf);
    }
  }

  /** One watch for all leaves, while there are any. */
  async #watchRoots(): Promise<void> {
    if (this.#isWatchingRoots) return;
    this.#isWatchingRoots = true;
    const { cache, clock } = this.#ports;
    const { signal } = this.#stopped;
    let minIndex = 0;
    while (!signal.aborted && this.#leaves.size > 0) {
      try {
        const { value, meta } = await cache.get(
          'ConnectCA.Roots',
          {},
          { token: NO_TOKEN, minIndex, signal, datacenter: this.#ports.config().datacenter },
        );
        minIndex = meta.index;
        this.#followRoots(value);
      } catch {
        if (signal.aborted) break;
        await sleep(clock, ROOTS_RETRY_MS, signal).catch(() => undefined);
      }
    }
    this.#isWatchingRoots = false;
  }

  #followRoots(roots: CaRoots): void {
    const nowMs = this.#ports.clock.now();
    for (const leaf of this.#leaves.values()) {
      leaf.machine.rootChanged(nowMs, roots.ActiveRootID);
      // The spread is finer than the tick.
      const { state } = leaf.machine;
      if (state.kind !== 'valid' || state.life.rootId === roots.ActiveRootID) continue;
      this.#ports.clock.setTimer(Math.max(0, state.renewAtMs - nowMs), () => {
        if (this.#leaves.has(leaf.key) && leaf.machine.tick(this.#ports.clock.now())) this.#sign(leaf);
      });
    }
  }

  #makeRoom(): void {
    const idle = [...this.#leaves.values()].filter((leaf) => leaf.waiters.size === 0).sort((a, b) => a.lastUsedMs - b.lastUsedMs);
    for (const leaf of idle.slice(0, MAX_LEAVES / 20)) this.#drop(leaf);
  }

  #drop(leaf: Leaf): void {
    this.#leaves.delete(leaf.key);
    leaf.waiters.failAll(new LictorError('unavailable', 'cache entry dropped'));
  }
}

function metaOf(cert: IssuedCert): QueryMeta {
  return {
    index: Math.max(1, cert.ModifyIndex),
    knownLeader: true,
    lastContactMs: 0,
    consistency: 'default',
    resultsFilteredByAcls: false,
  };
}
