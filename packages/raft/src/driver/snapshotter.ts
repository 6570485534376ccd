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
  /** The newest there is. */
  latest: Pick<SnapshotMeta, 'index' | 'term'>;

  constructor(options: NodeOptions, ports: NodePorts, latest: Pick<SnapshotMeta, 'index' | 'term'>, events: SnapshotterEvents) {
    this.#options = options;
    this.#ports = ports;
    this.#events = events;
    this.latest = latest;
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
    const isDue = (isOld && last.index - this.latest.index >= snapshotEntries) || this.#bytes - this.#bytesAtLast >= snapshotBytes;
    // What fails is in the log and counted; the next one is for later.
    if (isDue && this.#running === undefined) this.#start(last.index).catch(() => undefined);
  }

  /** Another server's has been installed. */
  installed(snapshot: SnapshotMeta): void {
    this.latest = snapshot;
    this.#marks = [];
    this.#bytesAtLast = this.#bytes;
  }

  /**
   * Now, whatever the limits say. `position`: where the state machine is, or what to wait for before it is anywhere.
   * @throws when it cannot be written
   */
  async take(position: () => number | Promise<unknown>): Promise<void> {
    for (;;) {
      await this.#idle();
      const index = position();
      if (typeof index !== 'number') await index;
      else if (index <= this.latest.index) return;
      else if (this.#running === undefined) {
        await this.#start(index);
        return;
      }
    }
  }

  async stop(): Promise<void> {
    await this.#idle();
  }

  #start(index: number): Promise<void> {
    this.#running = this.#take(index).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #idle(): Promise<void> {
    await this.#running?.catch(() => undefined);
  }

  async #take(index: number): Promise<void> {
    const { clock, logger, metrics, machine, snapshots } = this.#ports;
    const startMs = clock.monotonic();
    const bytes = this.#bytes;
    try {
      const meta = this.#events.metaAt(index);
      const slices = machine.snapshot();
      const recordedMs = clock.monotonic();
      metrics.addSample('raft.fsm.snapshot', recordedMs - startMs);
      metrics.addSample('raft.snapshot.create', recordedMs - startMs);
      const { sizeBytes } = await snapshots.save(meta, inSlices(slices));
      const previous = this.latest.index;
      if (index <= previous) return;
      this.latest = meta;
      const keepFrom = this.#keepFrom(index, bytes);
      this.#marks = this.#marks.filter((mark) => mark.index >= keepFrom);
      metrics.addSample('raft.snapshot.persist', clock.monotonic() - recordedMs);
      metrics.addSample('raft.snapshot.takeSnapshot', clock.monotonic() - startMs);
      logger.info('snapshot taken', { index, sizeBytes });
      this.#events.saved(meta, keepFrom, Math.min(previous, keepFrom - 1));
    } catch (thrown) {
      // The log has it all: no harm but its length. Not at once again.
      metrics.incrCounter('raft.snapshot.failed', 1);
      logger.error('a snapshot failed', { index, error: thrown instanceof Error ? thrown.message : String(thrown) });
      throw thrown;
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
