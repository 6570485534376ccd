import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { SnapshotFiles } from './snapshot-files.ts';

const READ_BYTES = 256 * 1024;

/** A real folder. */
export function systemFiles(folder: string): SnapshotFiles {
  return {
    list: async () => {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      return await readdir(folder);
    },
    sizeOf: async (name) => (await stat(join(folder, name))).size,
    read: (name, offset) => createReadStream(join(folder, name), { start: offset, highWaterMark: READ_BYTES }),
    open: async (name, keepBytes) => {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const file = await open(join(folder, name), 'a', 0o600);
      await file.truncate(keepBytes);
      return {
        append: (bytes) => file.writeFile(bytes),
        sync: () => file.sync(),
        close: () => file.close(),
      };
    },
    rename: async (from, to) => {
      await rename(join(folder, from), join(folder, to));
      await syncFolder(folder);
    },
    remove: (name) => rm(join(folder, name), { force: true }),
  };
}

/** Without it a crash can forget the rename. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
