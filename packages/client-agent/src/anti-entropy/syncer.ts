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
  /** Who waits for the round that runs, and for the one after it. */
  #afterThis: (() => void)[] = [];
  #afterNext: (() => void)[] = [];

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
    this.#release();
  }

  /**
   * Resolves when what changed until now was synced, or could not be: whoever registers over the API can read it from the catalog then,
   * as with Consul. A stream of later changes does not hold it up.
   */
  settled(): Promise<void> {
    const { state } = this.#schedule;
    const isRunning = state.kind === 'syncing';
    if (this.#isDirtySoon || (isRunning && state.isDirty)) return new Promise((resolve) => this.#afterNext.push(resolve));
    return isRunning ? new Promise((resolve) => this.#afterThis.push(resolve)) : Promise.resolve();
  }

  /** Those whose changes the finished round took along; with no other round to come, all. */
  #release(): void {
    const released = this.#schedule.state.kind === 'syncing' ? this.#afterThis : [...this.#afterThis, ...this.#afterNext];
    this.#afterThis = [];
    if (this.#schedule.state.kind !== 'syncing') this.#afterNext = [];
    for (const resolve of released) resolve();
  }

  /** Several changes in one turn are one sync. */
  #dirty(): void {
    if (this.#isDirtySoon) return;
    this.#isDirtySoon = true;
    queueMicrotask(() => {
      this.#isDirtySoon = false;
      this.#apply(this.#schedule.dirty());
      if (this.#schedule.state.kind !== 'syncing') this.#release();
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
    this.#afterThis = this.#afterNext;
    this.#afterNext = [];
    const { clock, logger } = this.#ports;
    const { signal } = this.#stopped;
    try {
      await (kind === 'full' ? syncFull(this.#ports, signal) : syncChanges(this.#ports, signal));
      const effects = this.#schedule.done(clock.monotonic(), kind === 'full' ? undefined : this.#fullAtMs);
      this.#release();
      this.#apply(effects);
    } catch (error) {
      if (signal.aborted) return;
      logger.error('failed to sync remote state', { error: error instanceof Error ? error.message : String(error) });
      this.#apply(this.#schedule.failed(clock.monotonic(), error));
      this.#release();
    }
  }
}
