/** One log entry as it lies on disk. */
export interface StoredRecord {
  readonly index: number;
  /** Framed and checksummed: record.ts. */
  readonly bytes: Uint8Array;
}

/** The log's files. Every write is on the platter when it resolves. */
export interface LogDisk {
  /** In index order, some records at a time. */
  read(fromIndex: number): AsyncIterable<readonly StoredRecord[]>;
  /** All of them or, after a rejection, none or a part. */
  append(records: readonly StoredRecord[]): Promise<void>;
  /** Removes that index and everything behind it. */
  truncate(fromIndex: number): Promise<void>;
  /** Removes entries from 1 up to and with that index; record 0 stays. */
  trim(throughIndex: number): Promise<void>;
  close(): Promise<void>;
}

/** What a durable node needs of the operating system, as a port: fault tests stand in for a disk that is full, slow or wrong. */
export interface Disk {
  /** Creates what is missing. */
  openLog(folder: string): Promise<LogDisk>;
  /** Names of the files in a folder; none when it is missing. */
  listFiles(folder: string): Promise<readonly string[]>;
  readFile(path: string): Promise<Uint8Array>;
  /** All or nothing, also across a crash: written aside, synced, renamed, and the folder synced. */
  writeFile(path: string, slices: AsyncIterable<Uint8Array>): Promise<void>;
  removeFile(path: string): Promise<void>;
}
