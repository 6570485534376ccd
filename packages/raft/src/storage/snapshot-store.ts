import type { Logger } from '@lictor/protocol';
import type { SnapshotMeta } from '../core/entry.ts';
import { RaftError } from '../core/errors.ts';
import type { SnapshotReceiver, SnapshotStore, StoredSnapshot } from '../driver/ports.ts';
import type { SnapshotFiles } from './snapshot-files.ts';
import { MAX_DATA_BYTES, SnapshotEncoder } from './snapshot-format.ts';
import { openSnapshot, readersOf } from './snapshot-reader.ts';
import { FileReceiver, partName, receivedName } from './snapshot-receiver.ts';

const NAME = /^snapshot-(\d{20})-(\d{20})$/;
const WRITING = 'writing.tmp';
const KEPT = 2;

export interface SnapshotStoreOptions {
  /** What a peer may send at most. */
  readonly maxBytes: number;
}

export const DEFAULT_SNAPSHOT_OPTIONS: SnapshotStoreOptions = { maxBytes: 16 * 1024 ** 3 };

/**
 * Snapshots in files of one folder.
 *
 * 1. `snapshot-<index>-<term>` is whole and durable: it got its name after its sync.
 * 2. `received-…` is whole too, but is nobody's state before `install`; `part-…` is a download under way.
 * 3. The newest two are kept: should the newest turn out damaged, the one before it and the log still lead to the same state.
 */
export class FileSnapshotStore implements SnapshotStore {
  readonly #files: SnapshotFiles;
  readonly #logger: Logger;
  readonly #maxBytes: number;
  #receiver: FileReceiver | undefined;
  #receiving: Promise<void> = Promise.resolve();
  /** Written or verified by this process: a snapshot of gigabytes is not read anew for each follower that needs it. */
  #known: { readonly name: string; readonly snapshot: StoredSnapshot } | undefined;

  constructor(files: SnapshotFiles, logger: Logger, { maxBytes }: SnapshotStoreOptions = DEFAULT_SNAPSHOT_OPTIONS) {
    this.#files = files;
    this.#logger = logger;
    this.#maxBytes = maxBytes;
  }

  async latest(): Promise<StoredSnapshot | undefined> {
    for (const name of (await this.#names()).toReversed()) {
      if (this.#known?.name === name) return this.#known.snapshot;
      try {
        const snapshot = await openSnapshot(this.#files, name, this.#onDamage);
        this.#known = { name, snapshot };
        return snapshot;
      } catch (thrown) {
        if (!(thrown instanceof RaftError) || thrown.code === 'newer-format') throw thrown;
        this.#logger.error('a snapshot is damaged; trying the one before', { name, error: thrown.message });
      }
    }
    return undefined;
  }

  async save(meta: SnapshotMeta, state: AsyncIterable<Uint8Array>): Promise<StoredSnapshot> {
    const encoder = new SnapshotEncoder();
    const file = await this.#files.open(WRITING, 0);
    try {
      await file.append(encoder.header(meta));
      for await (const bytes of state) {
        for (let at = 0; at < bytes.length; at += MAX_DATA_BYTES) await file.append(encoder.data(bytes.subarray(at, at + MAX_DATA_BYTES)));
      }
      await file.append(encoder.footer());
      await file.sync();
    } catch (thrown) {
      await file.close();
      await this.#files.remove(WRITING);
      throw thrown;
    }
    await file.close();
    return await this.#become(WRITING, meta);
  }

  /** One after the other: of two that begin at once, each would think that it writes the file alone. */
  receive(meta: SnapshotMeta): Promise<SnapshotReceiver> {
    const receiver = this.#receiving.then(() => this.#receive(meta));
    this.#receiving = receiver.then(nothing, nothing);
    return receiver;
  }

  async #receive(meta: SnapshotMeta): Promise<SnapshotReceiver> {
    // A peer that starts again has given up the former attempt.
    await this.#receiver?.close();
    const part = partName(meta);
    for (const name of await this.#files.list()) {
      if (/^(part|received)-/.test(name) && name !== part) await this.#files.remove(name);
    }
    this.#receiver = await FileReceiver.open(this.#files, meta, this.#maxBytes);
    return this.#receiver;
  }

  async install(meta: SnapshotMeta): Promise<StoredSnapshot> {
    return await this.#become(receivedName(meta), meta);
  }

  async #become(name: string, meta: SnapshotMeta): Promise<StoredSnapshot> {
    const final = `snapshot-${digits(meta.index)}-${digits(meta.term)}`;
    await this.#files.rename(name, final);
    for (const old of (await this.#names()).slice(0, -KEPT)) await this.#files.remove(old);
    const snapshot = { meta, sizeBytes: await this.#files.sizeOf(final), ...readersOf(this.#files, final, this.#onDamage) };
    this.#known = { name: final, snapshot };
    return snapshot;
  }

  /** The next one who asks gets another. */
  readonly #onDamage = (name: string): void => {
    if (this.#known?.name === name) this.#known = undefined;
  };

  /** Oldest first. */
  async #names(): Promise<readonly string[]> {
    return (await this.#files.list()).filter((name) => NAME.test(name)).sort();
  }
}

function nothing(): void {}

function digits(value: number): string {
  return String(value).padStart(20, '0');
}
