import type { RaftIndex } from '@lictor/protocol';
import type { Table } from '../types.ts';

/** A part of a snapshot that is being restored through the log. */
export interface RestoreChunk extends RaftIndex {
  /** Of the restore it belongs to: a later one takes the place of one that was left half done. */
  readonly RestoreID: string;
  readonly Number: number;
  readonly Bytes: Uint8Array;
}

/** Keys in the order of the parts. Empty but while a restore is under way. */
export const restoreChunksTable: Table<RestoreChunk> = {
  name: 'restore-chunks',
  key: ({ Number: number }) => String(number).padStart(10, '0'),
  indexes: {},
};
