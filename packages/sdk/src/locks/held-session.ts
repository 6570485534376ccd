import { formatDuration, parseDuration, sleep } from '@lictor/protocol';
import type { LictorClient } from '../client.ts';
import type { SessionDefinition } from '../endpoints/session.ts';

const RETRY_MS = 1_000;

/** A session kept alive by renewing it at half its TTL, until it is ended or lost. */
export class HeldSession {
  readonly id: string;
  readonly #client: LictorClient;
  readonly #ended = new AbortController();
  readonly #renewing: Promise<void>;

  private constructor(client: LictorClient, id: string, ttlMs: number) {
    this.#client = client;
    this.id = id;
    this.#renewing = this.#renew(ttlMs);
  }

  static async create(client: LictorClient, definition: SessionDefinition, ttlMs: number): Promise<HeldSession> {
    const id = await client.session.create({ ...definition, TTL: formatDuration(ttlMs) });
    return new HeldSession(client, id, ttlMs);
  }

  /** Stops renewing and destroys the session; a failure to destroy leaves it to its TTL. */
  async end(): Promise<void> {
    this.#ended.abort();
    await this.#renewing;
    await this.#client.session.destroy(this.id).catch(() => undefined);
  }

  async #renew(initialTtlMs: number): Promise<void> {
    const { clock, session } = this.#client;
    const { signal } = this.#ended;
    let ttlMs = initialTtlMs;
    let pauseMs = ttlMs / 2;
    let renewedAtMs = clock.monotonic();
    while (clock.monotonic() - renewedAtMs <= ttlMs) {
      try {
        await sleep(clock, pauseMs, signal);
      } catch {
        return;
      }
      try {
        const renewed = await session.renew(this.id, { signal });
        // Gone on the server: whoever monitors the key sees that the lock is lost.
        if (renewed === undefined) return;
        ttlMs = parseDuration(renewed.TTL) || ttlMs;
        pauseMs = ttlMs / 2;
        renewedAtMs = clock.monotonic();
      } catch {
        if (signal.aborted) return;
        pauseMs = RETRY_MS;
      }
    }
  }
}
