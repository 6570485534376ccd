import type { LogDisk, RecordBatch, StoredRecord } from '../log-disk.ts';

interface PendingWrite {
  readonly batch: RecordBatch;
  readonly reject: (error: Error) => void;
}

/**
 * A log disk in memory that outlives its users, and can be full, slow or wrong. A removal that is not synced comes back in a crash.
 */
export class MemoryDisk implements LogDisk {
  readonly #records = new Map<number, Uint8Array>();
  readonly #removed = new Map<number, Uint8Array>();
  readonly #pending = new Set<PendingWrite>();
  /** What the next writes reject with, for good. */
  failure: Error | undefined;
  /** A write that fails may have been done all the same. */
  failsAfterWriting = false;
  /** Writes wait for this. */
  gate: Promise<void> | undefined;
  /** How long the next write takes; for a disk that is slow now and then. */
  latency: (() => Promise<void>) | undefined;
  writes = 0;

  open(): Promise<void> {
    return Promise.resolve();
  }

  async *read(): AsyncIterable<readonly StoredRecord[]> {
    await Promise.resolve();
    yield [...this.#records].sort(([left], [right]) => left - right).map(([index, bytes]) => ({ index, bytes }));
  }

  write(batch: RecordBatch): Promise<void> {
    return new Promise((resolve, reject) => {
      const pending = { batch, reject };
      this.#pending.add(pending);
      void (this.gate ?? this.latency?.() ?? Promise.resolve()).then(() => {
        if (!this.#pending.delete(pending)) return;
        const { failure } = this;
        if (failure === undefined || this.failsAfterWriting) this.#store(batch);
        if (failure === undefined) resolve();
        else reject(failure);
      });
    });
  }

  #store({ puts, deletes }: RecordBatch): void {
    this.writes++;
    this.#removed.clear();
    for (const index of deletes) this.#records.delete(index);
    for (const { index, bytes } of puts) this.#records.set(index, Uint8Array.from(bytes));
  }

  removeRange(from: number, through: number): Promise<void> {
    for (const [index, bytes] of this.#records) {
      if (index < from || index > through) continue;
      this.#records.delete(index);
      this.#removed.set(index, bytes);
    }
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** What a power cut leaves: of the writes under way, in their order, those that `survives` says, up to the first that does not. */
  crash(survives: () => boolean = () => false): void {
    let whole = true;
    for (const { batch, reject } of this.#pending) {
      whole &&= survives();
      if (whole) this.#store(batch);
      reject(new Error('power cut'));
    }
    this.#pending.clear();
    for (const [index, bytes] of this.#removed) this.#records.set(index, bytes);
    this.#removed.clear();
  }

  /** Bit `bit` of a record turns over. */
  flip(index: number, bit: number): void {
    const record = this.#records.get(index);
    const position = bit >> 3;
    if (record === undefined || position >= record.length) throw new Error(`record ${index} has no bit ${bit}`);
    record[position] = (record[position] ?? 0) ^ (1 << (bit & 7));
  }

  get indexes(): readonly number[] {
    return [...this.#records.keys()];
  }

  record(index: number): Uint8Array | undefined {
    return this.#records.get(index);
  }

  /** As a write that got lost, or came back: `undefined` removes. */
  put(index: number, bytes: Uint8Array | undefined): void {
    if (bytes === undefined) this.#records.delete(index);
    else this.#records.set(index, bytes);
  }
}
