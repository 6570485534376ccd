import { mkdir } from 'node:fs/promises';
import { Level } from 'level';
import type { LogDisk, StoredRecord } from './log-disk.ts';

/** Records and bytes in one read of the log. */
const READ_RECORDS = 512;
const READ_BYTES = 4 * 1024 * 1024;
const KEY_BYTES = 8;
/** Options of LevelDB itself, which the types of `level` leave out because browsers have none. */
const SYNCED: object = { sync: true };
const IN_READS: object = { highWaterMarkBytes: READ_BYTES };

/** LevelDB in one folder: its batches are atomic across a crash. */
export function levelDisk(folder: string): LogDisk {
  const level = new Level<Buffer, Uint8Array>(folder, { keyEncoding: 'buffer', valueEncoding: 'view' });
  return {
    open: async () => {
      if (level.status === 'open') return;
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await level.open();
    },
    read: () => readRecords(level),
    write: ({ puts, deletes }) => {
      const batch = level.batch();
      for (const index of deletes) batch.del(keyOf(index));
      for (const { index, bytes } of puts) batch.put(keyOf(index), bytes);
      return batch.write(SYNCED);
    },
    removeRange: (from, through) => level.clear({ gte: keyOf(from), lte: keyOf(through) }),
    close: () => level.close(),
  };
}

async function* readRecords(level: Level<Buffer, Uint8Array>): AsyncGenerator<readonly StoredRecord[]> {
  const iterator = level.iterator({ ...IN_READS });
  try {
    for (let entries = await iterator.nextv(READ_RECORDS); entries.length > 0; entries = await iterator.nextv(READ_RECORDS)) {
      yield entries.map(([key, bytes]) => ({ index: indexOf(key), bytes }));
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

function indexOf(key: Buffer): number {
  return key.length === KEY_BYTES ? Number(key.readBigUInt64BE()) : NaN;
}
