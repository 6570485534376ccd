import type { RaftIndex } from '@lictor/protocol';
import type { Table } from '../types.ts';

/** Facts about the cluster itself, by name. */
export interface SystemMetadata extends RaftIndex {
  readonly Key: string;
  readonly Value: string;
}

export const systemMetadataTable: Table<SystemMetadata> = { name: 'system-metadata', key: (row) => row.Key, indexes: {} };
