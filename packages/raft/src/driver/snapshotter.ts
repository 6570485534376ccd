import { setImmediate } from 'node:timers/promises';
import { type Entry, entryBytes, type SnapshotMeta } from '../core/entry.ts';
import type { NodeOptions, NodePorts } from './options.ts';

export interface SnapshotterEvents {
  /** @throws when that index is gone */
  metaAt(index: number): SnapshotMeta;
  /** Durable. `keepFrom`: for followers; `trimThrough`: what even the snapshot before does not need. */
  saved(meta: SnapshotMeta, keepFrom: number, trimThrough: number): void;
}

interface Mark {
  readonly index: number;
  /** Of all entries through `index` since the start. */
  readonly bytes: number;
}

/** Decides when the state machine is written down, and how much of the log stays. */
export class Snapshotter {
  readonly #options: NodeOptions;
  readonly #ports: NodePorts;
  readonly #events: SnapshotterEvents;
  /** One a batch that was applied, for the bytes of what trails. */
  #marks: Mark[] = [];
  #bytes = 0;
  #bytesAtLast = 0;
  #lastMs: number;
  #running: Promise<void> | undefined;
  index: number;

  constructor(options: NodeOptions, ports: NodePorts, index: number, events: SnapshotterEvents) {
    this.#options = options;
    this.#ports = ports;
    this.#events = events;
    this.index = index;
    this.#lastMs = ports.clock.monotonic();
  }

  /** Directly after these were applied. */
  applied(entries: readonly Entry[]): void {
    const last = entries.at(-1);
    if (last === undefined) return;
    for (const entry of entries) this.#bytes += entryBytes(entry);
    this.#marks.push({ index: last.index, bytes: this.#bytes });
    const { snapshotEntries, snapshotIntervalMs, snapshotBytes } = this.#options;
    const isOld = this.#ports.clock.monotonic() - this.#lastMs >= snapshotIntervalMs;
    const isDue = (isOld && last.index - this.index >= snapshotEntries) || this.#bytes - this.#bytesAtLast >= snapshotBytes;
    if (isDue && this.#running === undefined) void this.#start(last.index);
  }

  /** Another server's has been installed. */
  installed(index: number): void {
    this.index = index;
    this.#marks = [];
    this.#bytesAtLast = this.#bytes;
  }

  /** Now, whatever the limits say. */
  async take(index: number): Promise<void> {
    await this.#running;
    if (index <= this.index) return;
    await this.#start(index);
  }

  async stop(): Promise<void> {
    await this.#running;
  }

  #start(index: number): Promise<void> {
    this.#running = this.#take(index).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #take(index: number): Promise<void> {
    const { clock, logger, metrics, machine, snapshots } = this.#ports;
    const startMs = clock.monotonic();
    const bytes = this.#bytes;
    try {
      const meta = this.#events.metaAt(index);
      const { sizeBytes } = await snapshots.save(meta, inSlices(machine.snapshot()));
      const previous = this.index;
      if (index <= previous) return;
      this.index = index;
      const keepFrom = this.#keepFrom(index, bytes);
      this.#marks = this.#marks.filter((mark) => mark.index >= keepFrom);
      metrics.addSample('raft.snapshot.create', clock.monotonic() - startMs);
      logger.info('snapshot taken', { index, sizeBytes });
      this.#events.saved(meta, keepFrom, Math.min(previous, keepFrom - 1));
    } catch (thrown) {
      // The log has it all: no harm but its length. Not at once again.
      logger.error('a snapshot failed', { index, error: thrown instanceof Error ? thrown.message : String(thrown) });
    } finally {
      this.#bytesAtLast = this.#bytes;
      this.#lastMs = clock.monotonic();
    }
  }

  #keepFrom(index: number, bytes: number): number {
    const { trailingEntries, trailingBytes } = this.#options;
    const byBytes = this.#marks.findLast((mark) => mark.index <= index && bytes - mark.bytes > trailingBytes);
    return Math.max(index - trailingEntries + 1, (byBytes?.index ?? 0) + 1, 1);
  }
}

async function* inSlices(slices: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const slice of slices) {
    yield slice;
    await setImmediate();
  }
}
