import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Level } from 'level';
import { RaftError } from '../core/errors.ts';
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
      await refuseDamaged(folder);
      await level.open();
      await findDamage(folder);
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

/** Says, across restarts, that LevelDB has found damage here. */
const DAMAGED = 'DAMAGED';

/**
 * LevelDB passes over a damaged block of its write-ahead log, with up to 32 KiB of acknowledged batches, and only notes it in its own
 * log; at the next opening nothing of it is left to see. A vote or an entry that is gone so must not be missed.
 * @throws RaftError `corrupt`
 */
async function findDamage(folder: string): Promise<void> {
  // LOG.old is the former opening's, should that have ended before it could look.
  for (const name of ['LOG', 'LOG.old']) {
    const line = (await textOf(join(folder, name))).split('\n').find((text) => /dropping \d+ bytes|Corruption/.test(text));
    if (line === undefined) continue;
    const marker = await open(join(folder, DAMAGED), 'w', 0o600);
    await marker.writeFile(line);
    await marker.sync();
    await marker.close();
    await refuseDamaged(folder);
  }
}

async function refuseDamaged(folder: string): Promise<void> {
  const damage = await textOf(join(folder, DAMAGED));
  if (damage !== '') throw new RaftError('corrupt', `the raft log in ${folder} has lost records: ${damage}`);
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return '';
    throw thrown;
  }
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
