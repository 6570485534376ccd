import type { SnapshotFile, SnapshotFiles } from '../snapshot-files.ts';

/** A folder in memory that outlives its users, can be full, and forgets in a crash what was not synced. */
export class MemoryFiles implements SnapshotFiles {
  readonly files = new Map<string, Buffer>();
  /** Bytes of each file that a crash leaves in any case. */
  readonly #synced = new Map<string, number>();
  failure: Error | undefined;
  /** Counts crashes: files that were open then are so no more. */
  #life = 0;

  list(): Promise<readonly string[]> {
    return Promise.resolve([...this.files.keys()]);
  }

  sizeOf(name: string): Promise<number> {
    return Promise.resolve(this.#get(name).length);
  }

  async *read(name: string, offset: number): AsyncIterable<Uint8Array> {
    const bytes = this.#get(name);
    for (let at = offset; at < bytes.length; at += 1000) {
      await Promise.resolve();
      yield bytes.subarray(at, at + 1000);
    }
  }

  open(name: string, keepBytes: number): Promise<SnapshotFile> {
    this.files.set(name, (this.files.get(name) ?? Buffer.alloc(0)).subarray(0, keepBytes));
    const life = this.#life;
    return Promise.resolve({
      append: (bytes) => {
        if (life !== this.#life) return Promise.reject(new Error('power cut'));
        if (this.failure !== undefined) return Promise.reject(this.failure);
        this.files.set(name, Buffer.concat([this.#get(name), bytes]));
        return Promise.resolve();
      },
      sync: () => {
        this.#synced.set(name, this.#get(name).length);
        return Promise.resolve();
      },
      close: () => Promise.resolve(),
    });
  }

  rename(from: string, to: string): Promise<void> {
    this.files.set(to, this.#get(from));
    this.files.delete(from);
    this.#synced.set(to, this.#synced.get(from) ?? 0);
    this.#synced.delete(from);
    return Promise.resolve();
  }

  remove(name: string): Promise<void> {
    this.files.delete(name);
    return Promise.resolve();
  }

  /** `share`: between 0 and 1, how much of what was not synced has reached the disk all the same. */
  crash(share: () => number = () => 0): void {
    this.#life++;
    for (const [name, bytes] of this.files) {
      const synced = Math.min(this.#synced.get(name) ?? 0, bytes.length);
      this.files.set(name, bytes.subarray(0, synced + Math.floor((bytes.length - synced) * share())));
    }
  }

  flip(name: string, bit: number): void {
    const bytes = Buffer.from(this.#get(name));
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    this.files.set(name, bytes);
  }

  #get(name: string): Buffer {
    const bytes = this.files.get(name);
    if (bytes === undefined) throw new Error(`no file ${name}`);
    return bytes;
  }
}
