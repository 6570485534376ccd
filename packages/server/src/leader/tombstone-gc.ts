import type { Clock, Logger, Timer } from '@lictor/protocol';
import type { Consensus } from '../consensus/port.ts';
import { TOMBSTONE_REAP } from '../fsm/commands/tombstone.ts';
import type { StateStore } from '../state/store.ts';

export interface TombstoneGcConfig {
  /** How long a removal is remembered at least, ms. */
  readonly ttlMs: number;
  /** How often the age of removals is looked at, ms. */
  readonly granularityMs: number;
}

export interface TombstoneGcPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: StateStore;
  readonly consensus: Consensus;
}

interface Mark {
  readonly atMs: number;
  /** Everything through this index was applied by then. */
  readonly index: number;
}

/** The leader's duty to forget removals (consul-facts O008): prefix watches need them, memory does not. */
export class TombstoneGc {
  readonly #config: TombstoneGcConfig;
  readonly #ports: TombstoneGcPorts;
  #marks: Mark[] = [];
  #timer: Timer | undefined;

  constructor(config: TombstoneGcConfig, ports: TombstoneGcPorts) {
    this.#config = config;
    this.#ports = ports;
  }

  start(): void {
    this.#timer ??= this.#ports.clock.setTimer(this.#config.granularityMs, () => void this.#tick());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#marks = [];
  }

  async #tick(): Promise<void> {
    const { clock, logger, store } = this.#ports;
    this.#timer = clock.setTimer(this.#config.granularityMs, () => void this.#tick());
    const nowMs = clock.monotonic();
    const due = this.#marks.filter((mark) => mark.atMs <= nowMs - this.#config.ttlMs).at(-1);
    this.#marks = this.#marks.filter((mark) => mark.atMs > nowMs - this.#config.ttlMs);
    if (store.tombstoneCount > 0) this.#marks.push({ atMs: nowMs, index: store.appliedIndex });
    if (due === undefined || store.tombstoneCount === 0) return;
    try {
      await this.#ports.consensus.propose({ type: TOMBSTONE_REAP, version: 1, timeMs: clock.now(), body: { index: due.index } });
    } catch (thrown) {
      logger.error('reaping tombstones failed', { index: due.index, error: thrown });
    }
  }
}
