import { crc32 } from 'node:zlib';
import { LictorError } from '@lictor/protocol';
import { restoreChunksTable } from '../../state/tables/restore-chunks.ts';
import type { StateReader, StateTxn } from '../../state/types.ts';
import { CommandFailure, type CommandHandlers } from '../types.ts';

export const RESTORE_BEGIN = 'restore.begin';
export const RESTORE_CHUNK = 'restore.chunk';
/** Takes several turns of the event loop, so it has no handler here: `FsmMachine` carries it out. */
export const RESTORE_COMMIT = 'restore.commit';
export const RESTORE_ABANDON = 'restore.abandon';

export interface RestoreCommitBody {
  readonly id: string;
  readonly chunks: number;
  /** CRC-32 of all the bytes. */
  readonly checksum: number;
}

/**
 * A whole state that comes through the log in parts, so that each server replaces its own at the same index and none is left behind.
 * The parts are rows: a snapshot taken in the middle has them too.
 */
export const restoreCommands = {
  [RESTORE_BEGIN]: clear,
  [RESTORE_CHUNK]: applyChunk,
  [RESTORE_ABANDON]: clear,
} satisfies CommandHandlers;

/** All parts in order. @throws LictorError `rejected` when they are not what was announced */
export function collectChunks(reader: StateReader, { id, chunks, checksum }: RestoreCommitBody): Uint8Array {
  const rows = [...reader.scan(restoreChunksTable)];
  const isWhole = rows.length === chunks && rows.every((row, position) => row.RestoreID === id && row.Number === position);
  if (!isWhole) throw new LictorError('rejected', 'another restore has begun, or parts of this one are missing');
  const bytes = Buffer.concat(rows.map((row) => row.Bytes));
  if (crc32(bytes) !== checksum) throw new LictorError('rejected', 'the parts of this restore do not make what was announced');
  return bytes;
}

function clear(txn: StateTxn): void {
  for (const row of txn.scan(restoreChunksTable)) txn.remove(restoreChunksTable, restoreChunksTable.key(row));
}

interface ChunkBody {
  readonly id: string;
  readonly number: number;
  readonly bytes: Uint8Array;
}

function applyChunk(txn: StateTxn, body: ChunkBody): undefined | CommandFailure {
  const isChunk = typeof body?.id === 'string' && Number.isSafeInteger(body.number) && body.bytes instanceof Uint8Array;
  if (!isChunk) return new CommandFailure('invalid-argument', `malformed command ${RESTORE_CHUNK}`);
  const { id, number, bytes } = body;
  txn.put(restoreChunksTable, { RestoreID: id, Number: number, Bytes: bytes, CreateIndex: 0, ModifyIndex: 0 });
  return undefined;
}
