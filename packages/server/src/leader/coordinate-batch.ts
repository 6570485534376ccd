import type { Clock, Logger, Timer } from '@lictor/protocol';
import { COORDINATE_BATCH_UPDATE, type CoordinateBatchBody, type CoordinateUpdate } from '../fsm/commands/coordinate.ts';
import { coordinateKey } from '../state/tables/coordinates.ts';
import type { CoordinateSink } from '../rpc/endpoints/coordinate.ts';

/** Consul's figures (consul-facts, coordinate update batching): a period, updates in a command, commands in a period. */
const PERIOD_MS = 5000;
const BATCH_SIZE = 128;
const MAX_BATCHES = 5;

export interface CoordinateBatchPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  propose(type: string, body: unknown): Promise<unknown>;
}

/**
 * Coordinates move all the time and matter little: updates wait for the next batch, only the newest of a node counts, and what is
 * over the limit is dropped rather than queued.
 */
export class CoordinateBatch implements CoordinateSink {
  readonly #ports: CoordinateBatchPorts;
  #pending = new Map<string, CoordinateUpdate>();
  #timer: Timer | undefined;
  #isRunning = false;

  constructor(ports: CoordinateBatchPorts) {
    this.#ports = ports;
  }

  add(update: CoordinateUpdate): void {
    const key = coordinateKey(update.Node, update.Segment);
    // Bounded by what two periods could hold: nodes that do not exist must not fill memory.
    if (this.#pending.size >= 2 * BATCH_SIZE * MAX_BATCHES && !this.#pending.has(key)) return;
    this.#pending.set(key, update);
  }

  start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#arm();
  }

  stop(): void {
    this.#isRunning = false;
    this.#timer?.cancel();
    this.#pending.clear();
  }

  #arm(): void {
    this.#timer?.cancel();
    this.#timer = this.#ports.clock.setTimer(PERIOD_MS, () => {
      void this.#flush().finally(() => {
        if (this.#isRunning) this.#arm();
      });
    });
  }

  async #flush(): Promise<void> {
    const updates = [...this.#pending.values()];
    this.#pending = new Map();
    const limit = BATCH_SIZE * MAX_BATCHES;
    if (updates.length > limit) this.#ports.logger.warn('Discarded coordinate updates', { number_discarded: updates.length - limit });
    try {
      for (let start = 0; start < Math.min(updates.length, limit); start += BATCH_SIZE) {
        const body: CoordinateBatchBody = { updates: updates.slice(start, Math.min(start + BATCH_SIZE, limit)) };
        await this.#ports.propose(COORDINATE_BATCH_UPDATE, body);
      }
    } catch (error) {
      this.#ports.logger.warn('Batch update failed', { error });
    }
  }
}
