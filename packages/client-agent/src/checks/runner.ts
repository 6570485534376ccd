import type { CheckUpdateStatus } from '../contracts/index.ts';

/** One look at a target. */
export interface ProbeResult {
  readonly status: CheckUpdateStatus;
  readonly output: string;
}

/** Looks once, within its own timeout; never throws. `signal` ends it early when the check is stopped. */
export type Probe = (signal: AbortSignal) => Promise<ProbeResult>;

/** What keeps one check up to date. */
export interface CheckRunner {
  start(): void;
  /** Idempotent. Nothing is published afterwards. */
  stop(): void;
  /** Looks at once, where that has a meaning. */
  runNow?(): void;
}

/** Where a runner tells what it found. */
export type Publish = (status: CheckUpdateStatus, output: string) => void;
