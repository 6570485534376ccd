/** One record as it lies on disk: framed and checksummed by log-record.ts. */
export interface StoredRecord {
  readonly index: number;
  readonly bytes: Uint8Array;
}

/** All of it, or after a crash or a rejection none of it. */
export interface RecordBatch {
  readonly puts: readonly StoredRecord[];
  /** Indexes; those that do not exist are passed over. */
  readonly deletes: readonly number[];
}

/**
 * What the log needs of a disk, as a port: tests stand in for one that is full, slow or wrong. Records are ordered by index; index 0 is
 * the log's own state.
 */
export interface LogDisk {
  /** Creates what is missing. Idempotent. */
  open(): Promise<void>;
  /** In index order, some records at a time. */
  read(): AsyncIterable<readonly StoredRecord[]>;
  /** Atomic, and on the platter when it resolves. */
  write(batch: RecordBatch): Promise<void>;
  /** Removes records `from` to `through`, from below, durable some time later: after a crash the lowest of them may be back. */
  removeRange(from: number, through: number): Promise<void>;
  close(): Promise<void>;
}
