/** What locks and semaphores have in common. */
export interface LockingOptions {
  readonly sessionName?: string;
  /** Default 15 s. */
  readonly sessionTtlMs?: number;
  /** How long one read blocks, and with `tryOnce` how long to try in all. Default 15 s. */
  readonly waitMs?: number;
  /** Give up after `waitMs` instead of waiting for ever. */
  readonly tryOnce?: boolean;
  /** How many failed reads in a row to ride out while holding. Default 0. */
  readonly monitorRetries?: number;
  readonly monitorRetryMs?: number;
}

/** What a holder gets: aborted as soon as the lock can no longer be relied on. */
export type LostSignal = AbortSignal;
