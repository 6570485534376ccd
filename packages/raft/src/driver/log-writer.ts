import type { Clock } from '@lictor/protocol';
import type { PersistBatch } from '../core/effects.ts';
import type { Entry, SnapshotMeta } from '../core/entry.ts';
import type { LogStore } from './ports.ts';

/** What one write has made durable. */
export interface Written {
  readonly batches: readonly PersistBatch[];
  readonly entries: number;
  /** Since the oldest of it came up, and of the write alone. */
  readonly waitedMs: number;
  readonly tookMs: number;
}

export interface LogWriterEvents {
  /** Before its batch: the state machine becomes this snapshot, and the log is cleared. */
  install(meta: SnapshotMeta): Promise<void>;
  written(written: Written): void;
  /** Nothing more is written. */
  failed(error: unknown): void;
}

/** One write at a time; what comes in meanwhile is the next one, with one sync. */
export class LogWriter {
  readonly #log: LogStore;
  readonly #clock: Clock;
  readonly #events: LogWriterEvents;
  #batches: PersistBatch[] = [];
  /** Since when the oldest of `#batches` waits. */
  #waitingSinceMs: number | undefined;
  #tasks: (() => Promise<void>)[] = [];
  #running: Promise<void> | undefined;
  #stopped = false;
  #writing = false;
  /** Since when something has not been durable; undefined: everything is. */
  sinceMs: number | undefined;

  constructor(log: LogStore, clock: Clock, events: LogWriterEvents) {
    this.#log = log;
    this.#clock = clock;
    this.#events = events;
  }

  /** `written` will be called. */
  get isWriting(): boolean {
    return this.#writing;
  }

  push(batch: PersistBatch): void {
    this.#waitingSinceMs ??= this.#clock.monotonic();
    this.sinceMs ??= this.#waitingSinceMs;
    this.#batches.push(batch);
    this.#start();
  }

  /** Between two writes. */
  run(task: () => Promise<void>): void {
    this.#tasks.push(task);
    this.#start();
  }

  /** Finishes the write under way and does no other. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  #start(): void {
    if (this.#running !== undefined || this.#stopped) return;
    this.#running = this.#loop();
  }

  async #loop(): Promise<void> {
    try {
      while (!this.#stopped && this.#batches.length + this.#tasks.length > 0) {
        await this.#tasks.shift()?.();
        const batches = this.#takeBatches();
        if (batches.length === 0) continue;
        this.#writing = true;
        const written = await this.#write(batches);
        this.#writing = false;
        // What these lead to may be pushed from within: it is for the next round.
        if (!this.#isStopped()) this.#events.written(written);
      }
    } catch (thrown) {
      this.#stopped = true;
      this.#events.failed(thrown);
    } finally {
      this.#running = undefined;
    }
  }

  #isStopped(): boolean {
    return this.#stopped;
  }

  /** Up to the next one that begins with a snapshot. */
  #takeBatches(): readonly PersistBatch[] {
    const next = this.#batches.findIndex(({ snapshot }, position) => position > 0 && snapshot !== undefined);
    const batches = this.#batches.splice(0, next === -1 ? this.#batches.length : next);
    if (this.#batches.length === 0) this.#waitingSinceMs = undefined;
    return batches;
  }

  async #write(batches: readonly PersistBatch[]): Promise<Written> {
    const startMs = this.#clock.monotonic();
    const sinceMs = this.sinceMs ?? startMs;
    const snapshot = batches[0]?.snapshot;
    if (snapshot !== undefined) await this.#events.install(snapshot);
    const hardState = batches.findLast((batch) => batch.hardState !== undefined)?.hardState;
    const entries = joined(batches);
    if (hardState !== undefined || entries.length > 0) await this.#log.write({ hardState, entries });
    const endMs = this.#clock.monotonic();
    this.sinceMs = this.#waitingSinceMs;
    return { batches, entries: entries.length, tookMs: endMs - startMs, waitedMs: endMs - sinceMs };
  }
}

/** Later batches replace from their first entry on. */
function joined(batches: readonly PersistBatch[]): readonly Entry[] {
  if (batches.length === 1) return batches[0]?.entries ?? [];
  const all: Entry[] = [];
  for (const { entries } of batches) {
    const first = entries[0];
    if (first === undefined) continue;
    while ((all.at(-1)?.index ?? 0) >= first.index) all.pop();
    for (const entry of entries) all.push(entry);
  }
  return all;
}
