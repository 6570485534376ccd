import type { Clock, Random, Timer } from '@lictor/protocol';
import { type SyncEffects, SyncSchedule } from './schedule.ts';
import { syncChanges, syncFull, type SyncPorts } from './sync.ts';

export interface SyncerPorts extends SyncPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly clusterSize: () => number;
}

/** Keeps the catalog as this agent knows it should be: on every change at once, and as a whole now and then. */
export class Syncer {
  readonly #ports: SyncerPorts;
  readonly #schedule: SyncSchedule;
  readonly #stopped = new AbortController();
  #timer: Timer | undefined;
  #fullAtMs: number | undefined;
  #isDirtySoon = false;
  #unsubscribe: (() => void) | undefined;

  constructor(ports: SyncerPorts) {
    this.#ports = ports;
    this.#schedule = new SyncSchedule(ports.random, ports.clusterSize);
  }

  start(): void {
    this.#unsubscribe = this.#ports.state.onDirty(() => this.#dirty());
    this.#apply(this.#schedule.start());
  }

  stop(): void {
    this.#unsubscribe?.();
    this.#schedule.stop();
    this.#timer?.cancel();
    this.#stopped.abort(new Error('agent is shutting down'));
  }

  /** Several changes in one turn are one sync. */
  #dirty(): void {
    if (this.#isDirtySoon) return;
    this.#isDirtySoon = true;
    queueMicrotask(() => {
      this.#isDirtySoon = false;
      this.#apply(this.#schedule.dirty());
    });
  }

  #apply(effects: SyncEffects): void {
    const { clock } = this.#ports;
    if (effects.wakeAtMs !== undefined) {
      if (this.#schedule.state.kind === 'idle') this.#fullAtMs = effects.wakeAtMs;
      this.#timer?.cancel();
      this.#timer = clock.setTimer(effects.wakeAtMs - clock.monotonic(), () => this.#apply(this.#schedule.due(clock.monotonic())));
    }
    if (effects.run !== undefined) void this.#run(effects.run);
  }

  async #run(kind: 'full' | 'partial'): Promise<void> {
    const { clock, logger } = this.#ports;
    const { signal } = this.#stopped;
    try {
      await (kind === 'full' ? syncFull(this.#ports, signal) : syncChanges(this.#ports, signal));
      this.#apply(this.#schedule.done(clock.monotonic(), kind === 'full' ? undefined : this.#fullAtMs));
    } catch (error) {
      if (signal.aborted) return;
      logger.error('failed to sync remote state', { error: error instanceof Error ? error.message : String(error) });
      this.#apply(this.#schedule.failed(clock.monotonic(), error));
    }
  }
}
