import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Level } from 'level';
import type { Disk, LogDisk, StoredRecord } from './disk.ts';

/** Records and bytes in one read of the log. */
const READ_RECORDS = 512;
const READ_BYTES = 4 * 1024 * 1024;
const KEY_BYTES = 8;
const LAST_KEY = Buffer.alloc(KEY_BYTES, 0xff);
/** Options of LevelDB itself, which the types of `level` leave out because browsers have none. */
const SYNCED: object = { sync: true };
const IN_READS: object = { highWaterMarkBytes: READ_BYTES };

/** LevelDB for the log, plain files for snapshots. */
export const systemDisk: Disk = {
  openLog,
  listFiles: async (folder) => {
    try {
      return await readdir(folder);
    } catch (thrown) {
      if (isMissing(thrown)) return [];
      throw thrown;
    }
  },
  readFile: (path) => readFile(path),
  writeFile,
  removeFile: (path) => rm(path, { force: true }),
};

async function openLog(folder: string): Promise<LogDisk> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const level = new Level<Buffer, Uint8Array>(folder, { keyEncoding: 'buffer', valueEncoding: 'view' });
  await level.open();
  return {
    read: (fromIndex) => readRecords(level, fromIndex),
    append: (records) => {
      const batch = level.batch();
      for (const record of records) batch.put(keyOf(record.index), record.bytes);
      return batch.write(SYNCED);
    },
    truncate: (fromIndex) => level.clear({ gte: keyOf(fromIndex), lte: LAST_KEY }),
    trim: (throughIndex) => level.clear({ gte: keyOf(1), lte: keyOf(throughIndex) }),
    close: () => level.close(),
  };
}

async function* readRecords(level: Level<Buffer, Uint8Array>, fromIndex: number): AsyncGenerator<readonly StoredRecord[]> {
  const iterator = level.iterator({ gte: keyOf(fromIndex), lte: LAST_KEY, ...IN_READS });
  try {
    for (let entries = await iterator.nextv(READ_RECORDS); entries.length > 0; entries = await iterator.nextv(READ_RECORDS)) {
      yield entries.map(([key, bytes]) => ({ index: Number(key.readBigUInt64BE()), bytes }));
    }
  } finally {
    await iterator.close();
  }
}

/** Big-endian, so that LevelDB's order of bytes is the order of indexes. */
function keyOf(index: number): Buffer {
  const key = Buffer.allocUnsafe(KEY_BYTES);
  key.writeBigUInt64BE(BigInt(index));
  return key;
}

async function writeFile(path: string, slices: AsyncIterable<Uint8Array>): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.tmp`;
  const file = await open(temporary, 'w', 0o600);
  try {
    for await (const slice of slices) if (slice.length > 0) await file.writeFile(slice);
    await file.sync();
  } catch (thrown) {
    await file.close();
    await rm(temporary, { force: true });
    throw thrown;
  }
  await file.close();
  await rename(temporary, path);
  await syncFolder(dirname(path));
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

function isMissing(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT';
}
