import type { RaftIndex } from './common.ts';

/** A key with its value. */
export interface KvEntry extends RaftIndex {
  /** How often the lock on the key was acquired: the fencing token. */
  readonly LockIndex: number;
  readonly Key: string;
  /** uint64, opaque to the store. A bigint only above 2^53. */
  readonly Flags: number | bigint;
  readonly Value: Uint8Array;
  /** The session holding the lock, or empty. */
  readonly Session: string;
}

export const KV_OPERATIONS = ['set', 'cas', 'delete', 'delete-cas', 'delete-tree', 'lock', 'unlock'] as const;
export type KvOperation = (typeof KV_OPERATIONS)[number];

export interface KvWrite {
  readonly Key: string;
  readonly Value: Uint8Array;
  readonly Flags: number | bigint;
  readonly Session: string;
  /** For `cas` and `delete-cas`. */
  readonly ModifyIndex: number;
}
