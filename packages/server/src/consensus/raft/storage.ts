import { join } from 'node:path';
import type { Logger } from '@lictor/protocol';
import {
  DiskLogStore,
  FileSnapshotStore,
  levelDisk,
  type LogStore,
  MemoryLogStore,
  MemorySnapshotStore,
  type SnapshotFiles,
  type SnapshotStore,
  systemFiles,
} from '@lictor/raft';

/** What a server keeps, as ports: fault tests stand in for a disk that is full, slow or wrong. */
export interface RaftStorage {
  readonly log: LogStore;
  readonly snapshots: SnapshotStore;
  /** Small files beside them; null: nothing outlives the process. */
  readonly files: SnapshotFiles | null;
  /** The data directory around them. Absent: nothing is kept there. */
  readonly dataDir?: SnapshotFiles;
}

/** `<dataDir>/raft`, laid out as Consul's: the log, `snapshots/`, and files for operators. */
export function diskStorage(dataDir: string, logger: Logger): RaftStorage {
  const folder = join(dataDir, 'raft');
  return {
    log: new DiskLogStore(levelDisk(join(folder, 'log'))),
    snapshots: new FileSnapshotStore(systemFiles(join(folder, 'snapshots')), logger),
    files: systemFiles(folder),
    dataDir: systemFiles(dataDir),
  };
}

/** For `-dev`. */
export function memoryStorage(): RaftStorage {
  return { log: new MemoryLogStore(), snapshots: new MemorySnapshotStore(), files: null };
}
