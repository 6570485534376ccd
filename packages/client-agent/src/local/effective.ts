import { mergeServiceConfig, upstreamKey } from '@lictor/mesh';
import type { Clock, NodeService, ResolvedServiceConfig, Secret } from '@lictor/protocol';
import type { AgentCache, EffectiveService, RuntimeConfig } from '../contracts/index.ts';
import { hashService } from './service-hash.ts';
import type { LocalState } from './state.ts';

/** Background queries behind a wait are as long as the wait, at most this. */
const MAX_QUERY_MS = 600_000;

export interface EffectivePorts {
  readonly state: LocalState;
  readonly cache: AgentCache;
  readonly clock: Clock;
  readonly config: () => RuntimeConfig;
}

interface Merged {
  readonly effective: EffectiveService;
  /** Index of the central configuration; 0 when it does not matter. */
  readonly index: number;
}

/** Services as their proxies should see them: central configuration below the registration (consul-facts E020). */
export class EffectiveServices {
  readonly #ports: EffectivePorts;
  /** By registration object, which changes with every registration, and by configuration object, which the cache keeps while it is the same. */
  readonly #merged = new WeakMap<
    NodeService,
    { readonly resolved: ResolvedServiceConfig | undefined; readonly effective: EffectiveService }
  >();

  constructor(ports: EffectivePorts) {
    this.#ports = ports;
  }

  async get(id: string, token: Secret): Promise<EffectiveService | undefined> {
    return (await this.#merge(id, token))?.effective;
  }

  async waitForChange(
    id: string,
    hash: string,
    waitMs: number,
    token: Secret,
    signal?: AbortSignal,
  ): Promise<EffectiveService | undefined> {
    const { clock, state } = this.#ports;
    const deadlineMs = clock.monotonic() + waitMs;
    for (;;) {
      const change = new AbortController();
      const changed = new Promise<void>((resolve) => change.signal.addEventListener('abort', () => resolve(), { once: true }));
      const wake = (): void => change.abort(new Error('changed'));
      // Subscribed before looking, so that nothing falls between.
      const unsubscribe = state.onService(id, wake);
      const remainingMs = deadlineMs - clock.monotonic();
      const timer = clock.setTimer(Math.max(0, remainingMs), wake);
      signal?.addEventListener('abort', wake, { once: true });
      try {
        const merged = await this.#merge(id, token);
        if (merged === undefined || merged.effective.contentHash !== hash || remainingMs <= 0 || signal?.aborted) return merged?.effective;
        if (merged.index > 0) void this.#awaitCentral(merged, token, remainingMs, change.signal).then(wake, () => undefined);
        await changed;
      } finally {
        timer.cancel();
        unsubscribe();
        signal?.removeEventListener('abort', wake);
        wake();
      }
    }
  }

  async #awaitCentral({ effective, index }: Merged, token: Secret, waitMs: number, signal: AbortSignal): Promise<void> {
    await this.#ports.cache.get('ConfigEntry.ResolveServiceConfig', requestFor(effective.service), {
      token,
      minIndex: index,
      maxWaitMs: Math.min(waitMs, MAX_QUERY_MS),
      signal,
    });
  }

  async #merge(id: string, token: Secret): Promise<Merged | undefined> {
    const { state, cache, config } = this.#ports;
    const service = state.liveServices.get(id);
    if (service === undefined) return undefined;
    let resolved: ResolvedServiceConfig | undefined;
    let index = 0;
    if (service.Kind !== '' && config().enableCentralServiceConfig) {
      const result = await cache.get('ConfigEntry.ResolveServiceConfig', requestFor(service), { token });
      resolved = result.value;
      index = result.meta.index;
      // It may have changed or gone while the answer was on its way.
      if (state.liveServices.get(id) !== service) return this.#merge(id, token);
    }
    return { effective: this.#combine(service, resolved), index };
  }

  #combine(service: NodeService, resolved: ResolvedServiceConfig | undefined): EffectiveService {
    const known = this.#merged.get(service);
    if (known !== undefined && known.resolved === resolved) return known.effective;
    const merged = resolved === undefined ? service : mergeServiceConfig(service, resolved);
    const effective = { service: merged, contentHash: hashService(merged) };
    this.#merged.set(service, { resolved, effective });
    return effective;
  }
}

function requestFor(service: NodeService): { readonly service: string; readonly upstreams: readonly string[] } {
  const upstreams = service.Proxy.Upstreams.filter((entry) => entry.DestinationType !== 'prepared_query' && entry.DestinationName !== '*');
  return {
    service: service.Proxy.DestinationServiceName === '' ? service.Service : service.Proxy.DestinationServiceName,
    upstreams: [...new Set(upstreams.map((entry) => upstreamKey(entry.DestinationName, entry.DestinationPeer)))].sort(),
  };
}
