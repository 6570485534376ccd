import { type Random, randomInteger } from '@lictor/protocol';
import type { LogDisk, RecordBatch, StoredRecord } from '@lictor/raft';
import type { DiskPorts } from './disk-ports.ts';

interface Write {
  readonly batch: RecordBatch;
  isDone: boolean;
}

/**
 * A machine's log disk, as LevelDB keeps it: batches are atomic. It outlives the processes that use it, and forgets in a crash what it has not
 * synced.
 */
export class VirtualLogDisk {
  readonly #records = new Map<number, Uint8Array>();
  /** Removals that are not durable yet. */
  readonly #removed = new Map<number, Uint8Array>();
  #writing: Write | undefined;

  /** For one process. */
  open(ports: DiskPorts): LogDisk {
    return {
      open: () => ports.wait(),
      read: () => this.#read(ports),
      write: (batch) => this.#write(batch, ports),
      removeRange: (from, through) => this.#removeRange(from, through, ports),
      close: () => Promise.resolve(),
    };
  }

  /** A torn batch is dropped by its checksum, and so is one with a bit flipped: it is there whole or not at all. */
  crash(random: Random): void {
    const write = this.#writing;
    this.#writing = undefined;
    if (write !== undefined && !write.isDone && random.float() < 0.5) this.#put(write.batch);
    // Removals are logged from below: the last of them are lost.
    const lostFrom = randomInteger(random, 2 * this.#removed.size + 1);
    [...this.#removed].slice(lostFrom).forEach(([index, bytes]) => this.#records.set(index, bytes));
    this.#removed.clear();
  }

  wipe(): void {
    this.#records.clear();
    this.#removed.clear();
    this.#writing = undefined;
  }

  get isEmpty(): boolean {
    return this.#records.size === 0;
  }

  /** One bit of what was acknowledged turns over. Which record; undefined: there is nothing. */
  flip(random: Random): number | undefined {
    const indexes = [...this.#records.keys()].sort((left, right) => left - right);
    const index = indexes[randomInteger(random, indexes.length)];
    const record = index === undefined ? undefined : this.#records.get(index);
    if (index === undefined || record === undefined) return undefined;
    const copy = Uint8Array.from(record);
    const position = randomInteger(random, copy.length);
    copy[position] = (copy[position] ?? 0) ^ (1 << randomInteger(random, 8));
    this.#records.set(index, copy);
    return index;
  }

  async *#read(ports: DiskPorts): AsyncGenerator<readonly StoredRecord[]> {
    await ports.wait();
    const records = [...this.#records].sort(([left], [right]) => left - right).map(([index, bytes]) => ({ index, bytes }));
    for (let at = 0; at < records.length; at += 512) yield records.slice(at, at + 512);
  }

  async #write(batch: RecordBatch, ports: DiskPorts): Promise<void> {
    const write: Write = { batch, isDone: false };
    this.#writing = write;
    await ports.wait();
    write.isDone = true;
    const fault = ports.takeFault();
    // After an I/O error nobody knows what is on the platter.
    if (fault === undefined || (fault === 'EIO' && ports.random.float() < 0.5)) this.#put(batch);
    if (fault !== undefined) throw Object.assign(new Error(`${fault}: the disk fails`), { code: fault });
  }

  async #removeRange(from: number, through: number, ports: DiskPorts): Promise<void> {
    await ports.wait();
    for (let index = from; index <= through; index++) {
      const bytes = this.#records.get(index);
      if (bytes === undefined) continue;
      this.#records.delete(index);
      this.#removed.set(index, bytes);
    }
  }

  #put({ puts, deletes }: RecordBatch): void {
    this.#removed.clear();
    for (const index of deletes) this.#records.delete(index);
    for (const { index, bytes } of puts) this.#records.set(index, Uint8Array.from(bytes));
  }
}
