export { levelDisk } from './level-disk.ts';
export type { LogDisk, RecordBatch, StoredRecord } from './log-disk.ts';
export { DiskLogStore } from './log-store.ts';
export { MemoryLogStore } from './memory-log-store.ts';
export { MemorySnapshotStore } from './memory-snapshot-store.ts';
export type { SnapshotFile, SnapshotFiles } from './snapshot-files.ts';
export { DEFAULT_SNAPSHOT_OPTIONS, FileSnapshotStore, type SnapshotStoreOptions } from './snapshot-store.ts';
export { systemFiles } from './system-files.ts';
