/** What a server does only while it leads. Both are idempotent, and `stop` leaves no timer behind. */
export interface LeaderDuty {
  /** Resolves after the first attempt, however it went. */
  start(): void | Promise<void>;
  stop(): void;
}
