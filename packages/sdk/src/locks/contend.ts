import type { Clock } from '@lictor/protocol';
import type { LictorClient } from '../client.ts';
import type { SessionDefinition } from '../endpoints/session.ts';
import type { QueryOptions } from '../query.ts';
import { WAIT_MS } from './constants.ts';
import { HeldSession } from './held-session.ts';
import { describing } from './lock-error.ts';
import type { LockingOptions } from './options.ts';

/** One read of who holds it, and one try to have it where it is free: `true`, or the index to wait on, 0 for none. */
export type Attempt = (query: QueryOptions) => Promise<true | number>;

/** Contends with a session of its own, which is ended when it came to nothing. @throws LockError */
export async function acquireWithSession(
  client: LictorClient,
  definition: SessionDefinition,
  ttlMs: number,
  acquires: (sessionId: string) => Promise<boolean>,
): Promise<HeldSession | undefined> {
  const session = await describing('failed to create session', () => HeldSession.create(client, definition, ttlMs));
  let acquired = false;
  try {
    acquired = await acquires(session.id);
  } finally {
    if (!acquired) await session.end();
  }
  return acquired ? session : undefined;
}

/** Attempts until one succeeds; false when `signal` or, with `tryOnce`, the time came first. */
export async function contend(clock: Clock, options: LockingOptions, signal: AbortSignal | undefined, attempt: Attempt): Promise<boolean> {
  const { waitMs = WAIT_MS, tryOnce = false } = options;
  const startedMs = clock.monotonic();
  let index = 0;
  for (let attempts = 0; !signal?.aborted; attempts++) {
    const leftMs = tryOnce && attempts > 0 ? waitMs - (clock.monotonic() - startedMs) : waitMs;
    if (leftMs < 0 || (tryOnce && attempts > 0 && leftMs === 0)) return false;
    try {
      const outcome = await attempt({ waitMs: leftMs, ...(index > 0 ? { index } : {}), ...(signal === undefined ? {} : { signal }) });
      if (outcome === true) return true;
      index = outcome;
    } catch (error) {
      if (signal?.aborted) return false;
      throw error;
    }
  }
  return false;
}
