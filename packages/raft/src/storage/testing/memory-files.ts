import type { SnapshotFile, SnapshotFiles } from '../snapshot-files.ts';

/** A folder in memory that outlives its users, and can be full. */
export class MemoryFiles implements SnapshotFiles {
  readonly files = new Map<string, Buffer>();
  failure: Error | undefined;

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
    return Promise.resolve({
      append: (bytes) => {
        if (this.failure !== undefined) return Promise.reject(this.failure);
        this.files.set(name, Buffer.concat([this.#get(name), bytes]));
        return Promise.resolve();
      },
      sync: () => Promise.resolve(),
      close: () => Promise.resolve(),
    });
  }

  rename(from: string, to: string): Promise<void> {
    this.files.set(to, this.#get(from));
    this.files.delete(from);
    return Promise.resolve();
  }

  remove(name: string): Promise<void> {
    this.files.delete(name);
    return Promise.resolve();
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
