export interface WaitLimits {
  /** What no `maxWaitMs`, or 0, means, ms. */
  readonly defaultWaitMs: number;
  /** Longer waits are cut to this, ms. */
  readonly maxWaitMs: number;
}

/** How long a blocked call waits at least, ms (consul-facts T002). */
export function waitTimeMs(askedMs: number | undefined, { defaultWaitMs, maxWaitMs }: WaitLimits): number {
  return askedMs === undefined || askedMs <= 0 ? defaultWaitMs : Math.min(askedMs, maxWaitMs);
}
