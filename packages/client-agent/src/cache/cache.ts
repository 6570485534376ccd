import {
  type Clock,
  LictorError,
  type Metrics,
  type ReadMethod,
  type RpcRequest,
  type RpcValue,
  type ServerPort,
  type Timer,
} from '@lictor/protocol';
import type { AgentCache, CacheOptions, CacheRequest, CacheResult, CacheType, LeafRequest } from '../contracts/index.ts';
import { CacheEntry, type EntryEffects } from './entry.ts';
import { isBackgroundType, requestKey } from './types.ts';
import { Waiters } from './waiters.ts';

/** How long one background query blocks, and how long an entry outlives its last use (consul-facts T003). */
const REFRESH_WAIT_MS = 600_000;
export const IDLE_TTL_MS = 72 * 3_600_000;
/** Of a query that is to show that there is contact again. */
const PROBE_WAIT_MS = 1_000;
/** Between two entries that are refreshed because there are servers again. */
const RETRY_SPREAD_MS = 1;
const SWEEP_INTERVAL_MS = 60_000;
/**
 * Consul's cache has no bound; ours evicts idle entries beyond this (security.md 5.1, CVE-2020-13250). Each has a query at the servers, and a
 * stream to one takes 10,000 at a time: whoever asks for many things must leave room for the agent's own calls.
 */
const MAX_ENTRIES = 8_000;
const DEFAULT_WAIT_MS = 300_000;

/** Makes leaves on this agent; they live beside the cached reads and are asked for through the same door. */
export interface LeafSource {
  get(request: LeafRequest, options: CacheOptions): Promise<CacheResult<'ConnectCA.Leaf'>>;
  readonly entryCount: number;
  stop(): void;
}

export interface CachePorts {
  readonly server: ServerPort;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly maxEntries?: number;
}

interface Slot {
  readonly key: string;
  readonly type: ReadMethod;
  readonly request: unknown;
  readonly options: Pick<CacheOptions, 'token' | 'datacenter'>;
  readonly machine: CacheEntry;
  readonly waiters: Waiters;
  readonly cancelled: AbortController;
  timer: Timer | undefined;
  lastUsedMs: number;
}

/** The driver of the cache entries: one map, one sweep, calls to the servers. */
export class Cache implements AgentCache {
  readonly #ports: CachePorts;
  readonly #slots = new Map<string, Slot>();
  readonly #maxEntries: number;
  #leaves: LeafSource | undefined;
  #sweep: Timer | undefined;
  #isStopped = false;

  constructor(ports: CachePorts) {
    this.#ports = ports;
    this.#maxEntries = ports.maxEntries ?? MAX_ENTRIES;
  }

  /** Leaves need roots, which are read through this cache: hence the second step. */
  serveLeaves(source: LeafSource): void {
    this.#leaves = source;
  }

  get entryCount(): number {
    return this.#slots.size + (this.#leaves?.entryCount ?? 0);
  }

  get<T extends CacheType>(type: T, request: CacheRequest<T>, options: CacheOptions): Promise<CacheResult<T>> {
    if (type === 'ConnectCA.Leaf') {
      if (this.#leaves === undefined)
        return Promise.reject(new LictorError('rejected', 'Connect must be enabled in order to use this endpoint'));
      return this.#leaves.get(request as LeafRequest, options) as Promise<CacheResult<CacheType>> as Promise<CacheResult<T>>;
    }
    return this.#get(type as ReadMethod, request as RpcRequest<ReadMethod>, options) as Promise<CacheResult<T>>;
  }

  /** There are servers again, or more of them: entries that wait to be refreshed do not wait for their time. */
  serversFound(): void {
    const { clock } = this.#ports;
    let delayMs = 0;
    for (const slot of this.#slots.values()) {
      if (slot.machine.state.kind !== 'backoff') continue;
      slot.timer?.cancel();
      slot.timer = clock.setTimer(delayMs, () => this.#apply(slot, slot.machine.retryNow(clock.monotonic())));
      delayMs += RETRY_SPREAD_MS;
    }
  }

  stop(): void {
    this.#isStopped = true;
    this.#leaves?.stop();
    for (const slot of this.#slots.values()) this.#drop(slot);
    this.#sweep?.cancel();
  }

  async #get(method: ReadMethod, request: RpcRequest<ReadMethod>, options: CacheOptions): Promise<CacheResult<ReadMethod>> {
    if (this.#isStopped) throw new LictorError('unavailable', 'agent is shutting down');
    const { clock, metrics } = this.#ports;
    const slot = this.#slot(method, request, options);
    const deadlineMs = clock.monotonic() + (options.maxWaitMs ?? DEFAULT_WAIT_MS);
    const minIndex = options.minIndex ?? 0;
    let hasWaited = false;
    for (;;) {
      const nowMs = clock.monotonic();
      const isStale = !hasWaited && isTooOld(slot.machine, options, nowMs);
      this.#apply(slot, slot.machine.request(nowMs, isStale));
      const { state, known } = slot.machine;
      if (state.kind === 'denied') throw state.error;
      const isAsked = known !== undefined && (minIndex === 0 || known.meta.index > minIndex || known.meta.index < minIndex);
      if (known !== undefined && !isStale && (isAsked || nowMs >= deadlineMs)) {
        metrics.incrCounter(`cache.${hasWaited ? 'miss' : 'hit'}`, 1);
        return { value: known.value as RpcValue<ReadMethod>, meta: known.meta, hit: !hasWaited, ageMs: slot.machine.ageMs(nowMs) };
      }
      if (known === undefined && nowMs >= deadlineMs) throw new LictorError('deadline-exceeded', 'timed out waiting for the servers');
      hasWaited = true;
      await this.#wait(slot, isStale ? 0 : minIndex, known !== undefined, deadlineMs - nowMs, options);
    }
  }

  async #wait(slot: Slot, minIndex: number, hasValue: boolean, waitMs: number, options: CacheOptions): Promise<void> {
    try {
      await slot.waiters.wait(this.#ports.clock, hasValue ? minIndex : 0, Math.max(0, waitMs), options.signal);
    } catch (thrown) {
      const error = LictorError.from(thrown);
      // Cache-Control: stale-if-error.
      const known = slot.machine.known;
      const mayServe = known !== undefined && error.code !== 'cancelled' && options.staleIfErrorMs !== undefined;
      if (!mayServe || this.#ports.clock.monotonic() - known.receivedAtMs > (options.staleIfErrorMs ?? 0)) throw error;
    }
  }

  #slot(type: ReadMethod, request: unknown, options: CacheOptions): Slot {
    // Lengths first: no token or datacenter can pretend to be part of its neighbour.
    const token = options.token.reveal();
    const datacenter = options.datacenter ?? '';
    const key = `${type}|${datacenter.length}|${datacenter}|${token.length}|${token}|${requestKey(request)}`;
    const nowMs = this.#ports.clock.monotonic();
    let slot = this.#slots.get(key);
    if (slot === undefined) {
      slot = {
        key,
        type,
        request,
        options: { token: options.token, ...(datacenter !== '' && { datacenter }) },
        machine: new CacheEntry(isBackgroundType(type)),
        waiters: new Waiters(),
        cancelled: new AbortController(),
        timer: undefined,
        lastUsedMs: nowMs,
      };
      this.#makeRoom();
      this.#slots.set(key, slot);
      this.#scheduleSweep();
    }
    slot.lastUsedMs = nowMs;
    return slot;
  }

  #apply(slot: Slot, effects: EntryEffects): void {
    if (effects.fetchMinIndex !== undefined) this.#fetch(slot, effects.fetchMinIndex, effects.isProbe === true);
    if (effects.wakeAtMs !== undefined) {
      const { clock } = this.#ports;
      slot.timer?.cancel();
      slot.timer = clock.setTimer(effects.wakeAtMs - clock.monotonic(), () => this.#apply(slot, slot.machine.retryDue(clock.monotonic())));
    }
    if (effects.hasNews) slot.waiters.news();
    if (effects.failure === undefined) return;
    if (effects.failure.code === 'permission-denied') slot.waiters.failAll(effects.failure);
    else slot.waiters.fail(effects.failure);
  }

  #fetch(slot: Slot, minIndex: number, isProbe: boolean): void {
    const { server, clock, metrics } = this.#ports;
    const query = minIndex > 0 ? { minIndex, maxWaitMs: isProbe ? PROBE_WAIT_MS : REFRESH_WAIT_MS } : {};
    const call = server.call(slot.type, slot.request as RpcRequest<ReadMethod>, { ...slot.options, query, signal: slot.cancelled.signal });
    void call.then(
      ({ value, meta }) => {
        metrics.incrCounter('cache.fetch_success', 1);
        this.#apply(slot, slot.machine.reply(clock.monotonic(), value, meta));
      },
      (thrown: unknown) => {
        if (!slot.cancelled.signal.aborted) metrics.incrCounter('cache.fetch_error', 1);
        this.#apply(slot, slot.machine.error(clock.monotonic(), LictorError.from(thrown)));
      },
    );
  }

  /** Drops the idle entries that were used longest ago, a few at a time so that a flood of keys costs little each. */
  #makeRoom(): void {
    const excess = this.#slots.size + 1 - this.#maxEntries;
    if (excess <= 0) return;
    const idle = [...this.#slots.values()].filter((slot) => slot.waiters.size === 0).sort((a, b) => a.lastUsedMs - b.lastUsedMs);
    for (const slot of idle.slice(0, excess + Math.ceil(this.#maxEntries / 20))) this.#drop(slot);
  }

  #scheduleSweep(): void {
    this.#sweep ??= this.#ports.clock.setTimer(SWEEP_INTERVAL_MS, () => {
      this.#sweep = undefined;
      const nowMs = this.#ports.clock.monotonic();
      for (const slot of this.#slots.values()) {
        if (slot.waiters.size > 0 || nowMs - slot.lastUsedMs < IDLE_TTL_MS) continue;
        this.#ports.metrics.incrCounter('cache.evict_expired', 1);
        this.#drop(slot);
      }
      this.#ports.metrics.setGauge('cache.entries_count', this.entryCount);
      if (this.#slots.size > 0) this.#scheduleSweep();
    });
  }

  #drop(slot: Slot): void {
    this.#slots.delete(slot.key);
    slot.machine.expire();
    slot.timer?.cancel();
    slot.cancelled.abort(new Error('cache entry dropped'));
    slot.waiters.failAll(new LictorError('unavailable', 'cache entry dropped'));
  }
}

/** Cache-Control of simple types; background types are as fresh as can be. */
function isTooOld(machine: CacheEntry, options: CacheOptions, nowMs: number): boolean {
  const known = machine.known;
  if (machine.isBackground || known === undefined) return false;
  if (options.mustRevalidate === true) return true;
  return options.maxAgeMs !== undefined && nowMs - known.receivedAtMs > options.maxAgeMs;
}
