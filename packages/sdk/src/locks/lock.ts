import { type KvEntry, sleep } from '@lictor/protocol';
import type { LictorClient } from '../client.ts';
import { LOCK_FLAG, MONITOR_RETRY_MS, RETRY_MS, SESSION_TTL_MS } from './constants.ts';
import { acquireWithSession, contend } from './contend.ts';
import type { HeldSession } from './held-session.ts';
import { describing, LockError } from './lock-error.ts';
import { monitor } from './monitor.ts';
import type { LockingOptions, LostSignal } from './options.ts';

export interface LockOptions extends LockingOptions {
  readonly key: string;
  readonly value?: string | Uint8Array;
}

interface Holding {
  readonly session: HeldSession;
  readonly released: AbortController;
}

/** Mutual exclusion by one KV entry, held by a session: Consul's leader-election recipe, on the wire as its own client does it. */
export class Lock {
  readonly #client: LictorClient;
  readonly #options: LockOptions;
  #holding: Holding | undefined;

  constructor(client: LictorClient, options: LockOptions) {
    if (options.key === '') throw new LockError('failed', 'missing key');
    this.#client = client;
    this.#options = options;
  }

  /** Waits for the lock. Undefined when `signal` or, with `tryOnce`, the time came first. @throws LockError */
  async acquire(signal?: AbortSignal): Promise<LostSignal | undefined> {
    if (this.#holding !== undefined) throw new LockError('held', 'Lock already held');
    const { sessionName = 'Consul API Lock', sessionTtlMs = SESSION_TTL_MS } = this.#options;
    const session = await acquireWithSession(this.#client, { Name: sessionName }, sessionTtlMs, (id) => this.#contend(id, signal));
    return session === undefined ? undefined : this.#hold(session);
  }

  /** Gives the lock back. @throws LockError */
  async release(): Promise<void> {
    const holding = this.#holding;
    if (holding === undefined) throw new LockError('not-held', 'Lock not held');
    this.#holding = undefined;
    holding.released.abort();
    const { key, value = '' } = this.#options;
    try {
      await describing('failed to release lock', () => this.#client.kv.put(key, value, { flags: LOCK_FLAG, release: holding.session.id }));
    } finally {
      await holding.session.end();
    }
  }

  /** Removes the entry. @throws LockError `in-use` when somebody holds it */
  async destroy(): Promise<void> {
    if (this.#holding !== undefined) throw new LockError('held', 'Lock already held');
    const { value: entry } = await describing('failed to read lock', () => this.#client.kv.get(this.#options.key));
    if (entry === undefined) return;
    checkFlag(entry);
    if (entry.Session !== '') throw new LockError('in-use', 'Lock in use');
    const removed = await describing('failed to remove lock', () => this.#client.kv.delete(entry.Key, { cas: entry.ModifyIndex }));
    if (!removed) throw new LockError('in-use', 'Lock in use');
  }

  #contend(sessionId: string, signal: AbortSignal | undefined): Promise<boolean> {
    const { key, value = '' } = this.#options;
    const { clock, kv } = this.#client;
    return contend(clock, this.#options, signal, async (query) => {
      const read = await describing('failed to read lock', () => kv.get(key, query));
      if (read.value !== undefined) checkFlag(read.value);
      if (read.value?.Session === sessionId) return true;
      if (read.value !== undefined && read.value.Session !== '') return read.meta.index;
      const acquired = await describing('failed to acquire lock', () => kv.put(key, value, { flags: LOCK_FLAG, acquire: sessionId }));
      return acquired || this.#afterRefusal(signal);
    });
  }

  /** Held by somebody: the index to wait on. Free all the same: a lock-delay is in force, and only time helps. */
  async #afterRefusal(signal: AbortSignal | undefined): Promise<number> {
    const { value, meta } = await this.#client.kv.get(this.#options.key, signal === undefined ? {} : { signal });
    if (value !== undefined && value.Session !== '') return meta.index;
    await sleep(this.#client.clock, RETRY_MS, signal);
    return 0;
  }

  #hold(session: HeldSession): LostSignal {
    const { key, monitorRetries = 0, monitorRetryMs = MONITOR_RETRY_MS } = this.#options;
    const released = new AbortController();
    const lost = new AbortController();
    this.#holding = { session, released };
    void monitor(
      this.#client,
      (query) => this.#client.kv.get(key, query),
      (entry) => entry?.Session === session.id,
      { retries: monitorRetries, retryMs: monitorRetryMs, signal: released.signal },
    ).then(() => lost.abort(new LockError('not-held', 'Lock lost')));
    return lost.signal;
  }
}

function checkFlag(entry: KvEntry): void {
  if (BigInt(entry.Flags) !== LOCK_FLAG) throw new LockError('conflict', 'Existing key does not match lock use');
}
