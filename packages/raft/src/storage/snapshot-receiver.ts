import type { SnapshotMeta } from '../core/entry.ts';
import { RaftError } from '../core/errors.ts';
import type { SnapshotReceiver, StoredSnapshot } from '../driver/ports.ts';
import type { SnapshotFile, SnapshotFiles } from './snapshot-files.ts';
import { SnapshotDecoder } from './snapshot-format.ts';
import { openSnapshot } from './snapshot-reader.ts';

export function partName({ index, term }: SnapshotMeta): string {
  return `part-${index}-${term}`;
}

export function receivedName({ index, term }: SnapshotMeta): string {
  return `received-${index}-${term}`;
}

/** Only whole, verified frames reach the file, so that a download goes on where it is right so far. */
export class FileReceiver implements SnapshotReceiver {
  readonly #files: SnapshotFiles;
  readonly #meta: SnapshotMeta;
  readonly #maxBytes: number;
  readonly #decoder: SnapshotDecoder;
  readonly #file: SnapshotFile;
  readonly offset: number;
  #isOpen = true;

  private constructor(files: SnapshotFiles, meta: SnapshotMeta, maxBytes: number, decoder: SnapshotDecoder, file: SnapshotFile) {
    this.#files = files;
    this.#meta = meta;
    this.#maxBytes = maxBytes;
    this.#decoder = decoder;
    this.#file = file;
    this.offset = decoder.verifiedBytes;
  }

  static async open(files: SnapshotFiles, meta: SnapshotMeta, maxBytes: number): Promise<FileReceiver> {
    const name = partName(meta);
    const decoder = (await files.list()).includes(name) ? await verifyPart(files, name) : new SnapshotDecoder();
    return new FileReceiver(files, meta, maxBytes, decoder, await files.open(name, decoder.verifiedBytes));
  }

  async append(bytes: Uint8Array): Promise<void> {
    this.#mustBeOpen();
    try {
      for (const { frame } of this.#decoder.push(bytes)) {
        if (this.#decoder.verifiedBytes > this.#maxBytes)
          throw new RaftError('corrupt', `the snapshot is larger than ${this.#maxBytes} bytes`);
        this.#checkMeta();
        await this.#file.append(frame);
      }
    } catch (thrown) {
      // Perhaps what is here is of another server's snapshot at the same index: the next attempt starts afresh.
      await this.#discard();
      throw thrown;
    }
  }

  async finish(): Promise<StoredSnapshot> {
    this.#mustBeOpen();
    if (!this.#decoder.isComplete) throw new RaftError('corrupt', 'the snapshot ends early');
    await this.#file.sync();
    await this.close();
    await this.#files.rename(partName(this.#meta), receivedName(this.#meta));
    return await openSnapshot(this.#files, receivedName(this.#meta));
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#file.close();
  }

  /** Not when a later attempt has taken over: the file is its own now. */
  async #discard(): Promise<void> {
    if (!this.#isOpen) return;
    await this.close();
    await this.#files.remove(partName(this.#meta));
  }

  #checkMeta(): void {
    const { meta } = this.#decoder;
    if (meta !== undefined && (meta.index !== this.#meta.index || meta.term !== this.#meta.term)) {
      throw new RaftError('corrupt', `a snapshot of ${meta.index} instead of ${this.#meta.index}`);
    }
  }

  #mustBeOpen(): void {
    if (!this.#isOpen) throw new RaftError('stopped', 'this download was given up');
  }
}

async function verifyPart(files: SnapshotFiles, name: string): Promise<SnapshotDecoder> {
  const decoder = new SnapshotDecoder();
  try {
    for await (const bytes of files.read(name, 0)) for (const _ of decoder.push(bytes)) continue;
  } catch (thrown) {
    if (!(thrown instanceof RaftError)) throw thrown;
    return new SnapshotDecoder();
  }
  // Half a frame at the end may be left in the decoder: read the whole ones again, without it.
  const whole = new SnapshotDecoder();
  let left = decoder.verifiedBytes;
  for await (const bytes of files.read(name, 0)) {
    for (const _ of whole.push(bytes.subarray(0, left))) continue;
    left -= Math.min(left, bytes.length);
    if (left === 0) break;
  }
  return whole;
}
