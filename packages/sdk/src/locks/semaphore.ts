import { posix } from 'node:path';
import type { KvEntry } from '@lictor/protocol';
import type { LictorClient } from '../client.ts';
import { MONITOR_RETRY_MS, SEMAPHORE_FLAG, SEMAPHORE_KEY, SESSION_TTL_MS } from './constants.ts';
import { acquireWithSession, contend } from './contend.ts';
import type { HeldSession } from './held-session.ts';
import { describing, LockError } from './lock-error.ts';
import { monitor } from './monitor.ts';
import type { LockingOptions, LostSignal } from './options.ts';
import { decodeSlots, encodeSlots, type Slots, withoutDeadHolders } from './slots.ts';

export interface SemaphoreOptions extends LockingOptions {
  /** One entry per contender lies under it, beside the coordinating one. */
  readonly prefix: string;
  /** How many may hold it; every contender must say the same. */
  readonly limit: number;
  readonly value?: string | Uint8Array;
}

interface Holding {
  readonly session: HeldSession;
  readonly released: AbortController;
}

/** At most `limit` holders at a time: Consul's semaphore recipe, on the wire as its own client does it. */
export class Semaphore {
  readonly #client: LictorClient;
  readonly #options: SemaphoreOptions;
  readonly #key: string;
  #holding: Holding | undefined;

  constructor(client: LictorClient, options: SemaphoreOptions) {
    if (options.prefix === '') throw new LockError('failed', 'missing prefix');
    if (!(options.limit > 0)) throw new LockError('failed', 'semaphore limit must be positive');
    this.#client = client;
    this.#options = options;
    this.#key = posix.join(options.prefix, SEMAPHORE_KEY);
  }

  /** Waits for a slot. Undefined when `signal` or, with `tryOnce`, the time came first. @throws LockError */
  async acquire(signal?: AbortSignal): Promise<LostSignal | undefined> {
    if (this.#holding !== undefined) throw new LockError('held', 'Semaphore already held');
    const { sessionName = 'Consul API Semaphore', sessionTtlMs = SESSION_TTL_MS } = this.#options;
    const definition = { Name: sessionName, Behavior: 'delete' } as const;
    const session = await acquireWithSession(this.#client, definition, sessionTtlMs, (id) => this.#contend(id, signal));
    return session === undefined ? undefined : this.#hold(session);
  }

  /** Gives the slot back. @throws LockError */
  async release(): Promise<void> {
    const holding = this.#holding;
    if (holding === undefined) throw new LockError('not-held', 'Semaphore not held');
    this.#holding = undefined;
    holding.released.abort();
    const { kv } = this.#client;
    try {
      for (;;) {
        const { value: entry } = await kv.get(this.#key);
        const slots = decodeSlots(entry, this.#options.limit);
        if (!slots.holders.has(holding.session.id)) break;
        slots.holders.delete(holding.session.id);
        if (await describing('failed to update lock', () => this.#swap(slots, entry))) break;
      }
      await kv.delete(posix.join(this.#options.prefix, holding.session.id));
    } finally {
      await holding.session.end();
    }
  }

  /** Removes the coordinating entry. @throws LockError `in-use` while somebody holds a slot */
  async destroy(): Promise<void> {
    if (this.#holding !== undefined) throw new LockError('held', 'Semaphore already held');
    const { value: entries } = await describing('failed to read prefix', () => this.#client.kv.list(this.#options.prefix));
    const entry = this.#find(entries);
    if (entry === undefined) return;
    const slots = withoutDeadHolders(decodeSlots(entry, this.#options.limit), entries);
    if (slots.holders.size > 0) throw new LockError('in-use', 'Semaphore in use');
    const removed = await describing('failed to remove semaphore', () => this.#client.kv.delete(entry.Key, { cas: entry.ModifyIndex }));
    if (!removed) throw new LockError('in-use', 'Semaphore in use');
  }

  async #contend(sessionId: string, signal: AbortSignal | undefined): Promise<boolean> {
    const { prefix, limit, value = '' } = this.#options;
    const { clock, kv } = this.#client;
    const contender = posix.join(prefix, sessionId);
    const made = await describing('failed to make contender entry', () =>
      kv.put(contender, value, { flags: SEMAPHORE_FLAG, acquire: sessionId }),
    );
    if (!made) throw new LockError('failed', 'failed to make contender entry: the session does not hold it');
    return contend(clock, this.#options, signal, async (query) => {
      const { value: entries, meta } = await describing('failed to read prefix', () => kv.list(prefix, query));
      const entry = this.#find(entries);
      const slots = withoutDeadHolders(decodeSlots(entry, limit), entries);
      if (slots.limit !== limit) {
        throw new LockError('limit-conflict', `semaphore limit conflict (lock: ${slots.limit}, local: ${limit})`);
      }
      if (slots.holders.size >= limit) return meta.index;
      slots.holders.add(sessionId);
      return (await describing('failed to update lock', () => this.#swap(slots, entry))) || 0;
    });
  }

  #find(entries: readonly KvEntry[]): KvEntry | undefined {
    const entry = entries.find(({ Key }) => Key === this.#key);
    if (entry !== undefined && BigInt(entry.Flags) !== SEMAPHORE_FLAG) {
      throw new LockError('conflict', 'Existing key does not match semaphore use');
    }
    return entry;
  }

  #swap(slots: Slots, previous: KvEntry | undefined): Promise<boolean> {
    return this.#client.kv.put(this.#key, encodeSlots(slots), { flags: SEMAPHORE_FLAG, cas: previous?.ModifyIndex ?? 0 });
  }

  #hold(session: HeldSession): LostSignal {
    const { prefix, limit, monitorRetries = 0, monitorRetryMs = MONITOR_RETRY_MS } = this.#options;
    const released = new AbortController();
    const lost = new AbortController();
    this.#holding = { session, released };
    const isHeld = (entries: readonly KvEntry[]): boolean =>
      withoutDeadHolders(decodeSlots(this.#find(entries), limit), entries).holders.has(session.id);
    void monitor(this.#client, (query) => this.#client.kv.list(prefix, query), isHeld, {
      retries: monitorRetries,
      retryMs: monitorRetryMs,
      signal: released.signal,
    }).then(() => lost.abort(new LockError('not-held', 'Semaphore slot lost')));
    return lost.signal;
  }
}
