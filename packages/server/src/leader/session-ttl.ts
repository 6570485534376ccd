import { type Clock, type Logger, type Metrics, parseDuration, type Timer } from '@lictor/protocol';
import type { Consensus } from '../consensus/port.ts';
import { SESSION_DESTROY } from '../fsm/commands/session.ts';
import type { StateStore } from '../state/store.ts';
import { sessionsTable } from '../state/tables/sessions.ts';

export interface SessionTtlPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly store: StateStore;
  readonly consensus: Consensus;
}

/** A session ends this many TTLs after its last renewal, at the earliest after one (consul-facts T010). */
const TTL_MULTIPLIER = 2;
const RETRY_BASE_MS = 10_000;
const MAX_ATTEMPTS = 6;

/**
 * The leader's timers of sessions with a TTL. They are memory only: a new leader gives every session its whole time again, which
 * can lengthen a session, never shorten it.
 */
export class SessionTtl {
  readonly #ports: SessionTtlPorts;
  readonly #timers = new Map<string, Timer>();
  /** Their end is on its way through the log. */
  readonly #expiring = new Set<string>();
  #isRunning = false;

  constructor(ports: SessionTtlPorts) {
    this.#ports = ports;
    ports.store.onCommit(() => this.#dropDestroyed());
  }

  get active(): number {
    return this.#timers.size;
  }

  /** On gaining leadership. */
  start(): void {
    this.#isRunning = true;
    for (const session of this.#ports.store.reader().scan(sessionsTable)) this.touch(session.ID, session.TTL);
  }

  /** On losing it. */
  stop(): void {
    this.#isRunning = false;
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
    this.#measure();
  }

  /** Starts the session's time anew; nothing for a session without TTL. */
  touch(id: string, ttl: string): void {
    const ttlMs = ttl === '' ? 0 : (parseDuration(ttl) ?? 0);
    if (!this.#isRunning || ttlMs <= 0) return;
    this.#arm(id, ttlMs * TTL_MULTIPLIER, 0);
    this.#measure();
  }

  /** Its time is over, and a renewal comes too late. */
  isExpiring(id: string): boolean {
    return this.#expiring.has(id);
  }

  #arm(id: string, delayMs: number, attempt: number): void {
    this.#timers.get(id)?.cancel();
    const timer = this.#ports.clock.setTimer(delayMs, () => void this.#expire(id, attempt));
    this.#timers.set(id, timer);
  }

  async #expire(id: string, attempt: number): Promise<void> {
    const { clock, logger, metrics, consensus } = this.#ports;
    const startMs = clock.monotonic();
    this.#timers.delete(id);
    this.#expiring.add(id);
    try {
      await consensus.propose({ type: SESSION_DESTROY, version: 1, timeMs: clock.now(), body: { id } });
      logger.debug('session TTL expired', { session: id });
    } catch (thrown) {
      logger.error('invalidating an expired session failed', { session: id, attempt, error: thrown });
      const isAgain = this.#isRunning && attempt + 1 < MAX_ATTEMPTS && !this.#timers.has(id);
      if (isAgain) this.#arm(id, RETRY_BASE_MS * 2 ** attempt, attempt + 1);
    }
    this.#expiring.delete(id);
    metrics.addSample('session_ttl.invalidate', clock.monotonic() - startMs);
    this.#measure();
  }

  /** Sessions also end by request and with their checks. */
  #dropDestroyed(): void {
    if (this.#timers.size === 0 || !this.#sessionsChanged()) return;
    const { store } = this.#ports;
    for (const [id, timer] of this.#timers) {
      if (store.plainReader().peek(sessionsTable, id) !== undefined) continue;
      timer.cancel();
      this.#timers.delete(id);
    }
    this.#measure();
  }

  #seenIndex = 0;

  #sessionsChanged(): boolean {
    const { index } = this.#ports.store.table(sessionsTable);
    if (index === this.#seenIndex) return false;
    this.#seenIndex = index;
    return true;
  }

  #measure(): void {
    this.#ports.metrics.setGauge('session_ttl.active', this.#timers.size);
  }
}
