/** What snapshots need of a folder, as a port. Names are plain file names. */
export interface SnapshotFiles {
  /** Creates the folder when it is missing. */
  list(): Promise<readonly string[]>;
  sizeOf(name: string): Promise<number>;
  /** From `offset` on, some bytes at a time. A file that is removed meanwhile is read to its end. */
  read(name: string, offset: number): AsyncIterable<Uint8Array>;
  /** To write at the end of its first `keepBytes` bytes; what is behind them goes. Created when missing. */
  open(name: string, keepBytes: number): Promise<SnapshotFile>;
  /** Durable when it resolves: the folder is synced. Replaces a file of that name. */
  rename(from: string, to: string): Promise<void>;
  remove(name: string): Promise<void>;
}

export interface SnapshotFile {
  append(bytes: Uint8Array): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}
