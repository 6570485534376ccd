import type { SnapshotMeta } from '../core/entry.ts';
import { RaftError } from '../core/errors.ts';
import type { SnapshotReceiver, SnapshotStore, StoredSnapshot } from '../driver/ports.ts';
import { MAX_DATA_BYTES, SnapshotDecoder, SnapshotEncoder } from './snapshot-format.ts';

interface Download {
  readonly meta: SnapshotMeta;
  /** Whole, verified frames. */
  readonly frames: Uint8Array[];
}

const DEFAULT_MAX_BYTES = 1024 ** 3;

/** The newest snapshot alone, in memory, in the frames of a snapshot file: gone with the process. */
export class MemorySnapshotStore implements SnapshotStore {
  readonly #maxBytes: number;
  #latest: StoredSnapshot | undefined;
  #download: Download | undefined;
  /** Whole, and nobody's state before `install`. */
  #received: StoredSnapshot | undefined;

  /** `maxBytes`: what a peer may send at most. */
  constructor(maxBytes = DEFAULT_MAX_BYTES) {
    this.#maxBytes = maxBytes;
  }

  latest(): Promise<StoredSnapshot | undefined> {
    return Promise.resolve(this.#latest);
  }

  async save(meta: SnapshotMeta, state: AsyncIterable<Uint8Array>): Promise<StoredSnapshot> {
    const encoder = new SnapshotEncoder();
    const frames = [encoder.header(meta)];
    for await (const bytes of state) {
      for (let at = 0; at < bytes.length; at += MAX_DATA_BYTES) frames.push(encoder.data(bytes.subarray(at, at + MAX_DATA_BYTES)));
    }
    frames.push(encoder.footer());
    this.#latest = storedOf(meta, frames);
    return this.#latest;
  }

  receive(meta: SnapshotMeta): Promise<SnapshotReceiver> {
    this.#received = undefined;
    if (!isSame(this.#download?.meta, meta)) this.#download = undefined;
    this.#download = { meta, frames: [...(this.#download?.frames ?? [])] };
    return Promise.resolve(this.#receiver(this.#download));
  }

  install(meta: SnapshotMeta): Promise<StoredSnapshot> {
    const received = this.#received;
    if (received === undefined || !isSame(received.meta, meta)) {
      return Promise.reject(new RaftError('corrupt', `the snapshot at ${meta.index} has not arrived`));
    }
    this.#received = undefined;
    this.#latest = received;
    return Promise.resolve(received);
  }

  #receiver(download: Download): SnapshotReceiver {
    const decoder = new SnapshotDecoder();
    for (const frame of download.frames) for (const _ of decoder.push(frame)) continue;
    const mustBeOpen = (): void => {
      if (this.#download !== download) throw new RaftError('stopped', 'this download was given up');
    };
    return {
      offset: decoder.verifiedBytes,
      append: async (bytes) => {
        mustBeOpen();
        await Promise.resolve();
        try {
          this.#take(decoder, download, bytes);
        } catch (thrown) {
          // Perhaps what is here is of another server's snapshot at the same index: the next attempt starts afresh.
          this.#download = undefined;
          throw thrown;
        }
      },
      finish: async () => {
        mustBeOpen();
        await Promise.resolve();
        if (!decoder.isComplete) throw new RaftError('corrupt', 'the snapshot ends early');
        this.#download = undefined;
        this.#received = storedOf(decoder.meta ?? download.meta, download.frames);
        return this.#received;
      },
      close: () => Promise.resolve(),
    };
  }

  #take(decoder: SnapshotDecoder, { meta, frames }: Download, bytes: Uint8Array): void {
    for (const { frame } of decoder.push(bytes)) {
      if (decoder.verifiedBytes > this.#maxBytes) throw new RaftError('corrupt', `the snapshot is larger than ${this.#maxBytes} bytes`);
      if (!isSame(decoder.meta, meta)) throw new RaftError('corrupt', `a snapshot of ${decoder.meta?.index ?? 0} instead of ${meta.index}`);
      // The transport may use its buffer again.
      frames.push(Uint8Array.from(frame));
    }
  }
}

function isSame(left: SnapshotMeta | undefined, right: SnapshotMeta): boolean {
  return left?.index === right.index && left.term === right.term;
}

function storedOf(meta: SnapshotMeta, frames: readonly Uint8Array[]): StoredSnapshot {
  return {
    meta,
    sizeBytes: frames.reduce((sum, frame) => sum + frame.length, 0),
    read: (offset = 0) => bytesOf(frames, offset),
    state: () => dataOf(frames),
  };
}

async function* bytesOf(frames: readonly Uint8Array[], offset: number): AsyncGenerator<Uint8Array> {
  let skip = offset;
  for (const frame of frames) {
    if (skip < frame.length) yield await Promise.resolve(frame.subarray(skip));
    skip = Math.max(0, skip - frame.length);
  }
}

async function* dataOf(frames: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  const decoder = new SnapshotDecoder();
  for (const frame of frames) {
    for (const { data } of decoder.push(frame)) if (data !== undefined) yield await Promise.resolve(data);
  }
}
