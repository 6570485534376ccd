/** consul-facts T012: what every client of locks and semaphores must share, and the times that Consul's own client takes. */
export const LOCK_FLAG = 0x2ddccbc058a50c18n;
export const SEMAPHORE_FLAG = 0xe0f69a2baa414de0n;
/** Name of the coordinating entry under a semaphore's prefix. */
export const SEMAPHORE_KEY = '.lock';
export const SESSION_TTL_MS = 15_000;
export const WAIT_MS = 15_000;
/** Pause while a lock-delay is in force. */
export const RETRY_MS = 5_000;
export const MONITOR_RETRY_MS = 2_000;
