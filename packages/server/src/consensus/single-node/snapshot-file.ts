import { LictorError } from '@lictor/protocol';
import { join } from 'node:path';
import type { Disk } from './disk.ts';

/** `snapshot-<index, 20 digits>`: the state at that index, whose own format carries the checksum. */
const PREFIX = 'snapshot-';
const DIGITS = 20;
const KEPT = 2;

/** Snapshots of the state on disk, newest last. */
export class SnapshotFiles {
  readonly #disk: Disk;
  readonly #folder: string;

  constructor(disk: Disk, folder: string) {
    this.#disk = disk;
    this.#folder = folder;
  }

  /** Indexes that there is a snapshot of, ascending. What a crash left half written is removed. */
  async list(): Promise<number[]> {
    const indexes: number[] = [];
    for (const name of await this.#disk.listFiles(this.#folder)) {
      if (name.endsWith('.tmp')) await this.#disk.removeFile(join(this.#folder, name));
      else if (name.startsWith(PREFIX)) indexes.push(Number(name.slice(PREFIX.length)));
    }
    return indexes.filter(Number.isSafeInteger).sort((left, right) => left - right);
  }

  read(index: number): Promise<Uint8Array> {
    return this.#disk.readFile(this.#path(index));
  }

  async write(index: number, slices: AsyncIterable<Uint8Array>): Promise<void> {
    if (index <= 0) throw new LictorError('internal', 'a snapshot of an empty state');
    await this.#disk.writeFile(this.#path(index), slices);
  }

  /** Removes all but the newest ones; answers the oldest index that is left. */
  async prune(keep = KEPT): Promise<number | undefined> {
    const indexes = await this.list();
    for (const index of indexes.slice(0, -keep)) await this.#disk.removeFile(this.#path(index));
    return indexes.slice(-keep)[0];
  }

  #path(index: number): string {
    return join(this.#folder, PREFIX + String(index).padStart(DIGITS, '0'));
  }
}
