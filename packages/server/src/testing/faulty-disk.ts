import type { Disk, LogDisk } from '../consensus/index.ts';

/** What goes wrong; each is looked at when the operation happens. */
export interface DiskFaults {
  /** Fails appends, after having written this part of the batch. */
  append?: { readonly error: Error; readonly written: number };
  /** Fails the removal of entries that a snapshot has made superfluous. */
  trim?: Error;
  /** Fails snapshot files after this many bytes. */
  writeFile?: { readonly error: Error; readonly afterBytes: number };
}

/** A real disk that fails when a test says so. */
export function createFaultyDisk(disk: Disk, faults: DiskFaults): Disk {
  return {
    ...disk,
    openLog: async (folder) => wrapLog(await disk.openLog(folder), faults),
    writeFile: (path, slices) => disk.writeFile(path, limited(slices, faults)),
  };
}

export function noSpace(): Error {
  return Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
}

function wrapLog(log: LogDisk, faults: DiskFaults): LogDisk {
  return {
    read: (fromIndex) => log.read(fromIndex),
    append: async (records) => {
      if (faults.append === undefined) return log.append(records);
      await log.append(records.slice(0, faults.append.written));
      throw faults.append.error;
    },
    truncate: (fromIndex) => log.truncate(fromIndex),
    trim: async (throughIndex) => {
      if (faults.trim !== undefined) throw faults.trim;
      await log.trim(throughIndex);
    },
    close: () => log.close(),
  };
}

async function* limited(slices: AsyncIterable<Uint8Array>, faults: DiskFaults): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const slice of slices) {
    bytes += slice.length;
    if (faults.writeFile !== undefined && bytes > faults.writeFile.afterBytes) throw faults.writeFile.error;
    yield slice;
  }
}
