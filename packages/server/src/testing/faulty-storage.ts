import { silentLogger } from '@lictor/protocol';
import { DiskLogStore, FileSnapshotStore, levelDisk, type LogDisk, type SnapshotFiles, systemFiles } from '@lictor/raft';
import { join } from 'node:path';
import type { RaftStorage } from '../consensus/index.ts';

/** What goes wrong; each is looked at when the operation happens. */
export interface StorageFaults {
  /** Fails a write of the log; `isWritten`: it is on disk all the same. */
  write?: { readonly error: Error; readonly isWritten: boolean };
  /** Fails the removal of entries that a snapshot has made superfluous. */
  trim?: Error;
  /** Fails small files beside the log, such as the one that names the cluster. */
  file?: Error;
  /** Fails snapshot files after this many bytes. */
  snapshot?: { readonly error: Error; readonly afterBytes: number };
}

/** Real files that fail when a test says so. */
export function createFaultyStorage(dataDir: string, faults: StorageFaults): RaftStorage {
  const folder = join(dataDir, 'raft');
  return {
    log: new DiskLogStore(wrapLog(levelDisk(join(folder, 'log')), faults)),
    snapshots: new FileSnapshotStore(wrapSnapshots(systemFiles(join(folder, 'snapshots')), faults), silentLogger),
    files: wrapFiles(systemFiles(folder), faults),
  };
}

export function noSpace(): Error {
  return Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
}

function wrapLog(disk: LogDisk, faults: StorageFaults): LogDisk {
  return {
    ...disk,
    write: async (batch) => {
      const { write } = faults;
      if (write === undefined || write.isWritten) await disk.write(batch);
      if (write !== undefined) throw write.error;
    },
    removeRange: async (from, through) => {
      if (faults.trim !== undefined) throw faults.trim;
      await disk.removeRange(from, through);
    },
  };
}

function wrapSnapshots(files: SnapshotFiles, faults: StorageFaults): SnapshotFiles {
  return {
    ...files,
    open: async (name, keepBytes) => {
      const file = await files.open(name, keepBytes);
      let bytes = keepBytes;
      return {
        ...file,
        append: async (part) => {
          bytes += part.length;
          if (faults.snapshot !== undefined && bytes > faults.snapshot.afterBytes) throw faults.snapshot.error;
          await file.append(part);
        },
      };
    },
  };
}

function wrapFiles(files: SnapshotFiles, faults: StorageFaults): SnapshotFiles {
  return {
    ...files,
    open: async (name, keepBytes) => {
      if (faults.file !== undefined) throw faults.file;
      return await files.open(name, keepBytes);
    },
  };
}
